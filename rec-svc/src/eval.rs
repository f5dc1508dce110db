//! Evaluation: the models that serve, asked about data whose future is known.

mod data;
mod exam;
mod knobs;
mod metric;
mod protocol;
mod random;
mod tune;

use std::path::Path;

pub use data::DataError;
pub use metric::Metric;
pub use protocol::{Baseline, Part, Protocol};
pub use tune::Tuned;

pub fn scratch() {
    let args: Vec<String> = std::env::args().collect();
    let protocol: Protocol = args[2].parse().unwrap();
    let data = protocol::Data::read(protocol, Path::new("/work/shared/data/recs")).unwrap();
    let mut tuning = crate::domain::Tuning::default();
    if args[1] == "tune" {
        let (best, tuned) = tune::search(&data, protocol, tuning, &mut |text| println!("{text}"));
        println!("{tuned:?}");
        tuning = best;
    }
    for part in [Part::Valid, Part::Test] {
        let t = std::time::Instant::now();
        let mut exam = data.exam(protocol, part, &tuning);
        let built = t.elapsed();
        let blend = protocol::blend(protocol, &tuning);
        exam.ready(blend);
        let fit = t.elapsed();
        let show = |name: &str, blend: &crate::domain::Blend| {
            let t = std::time::Instant::now();
            let marks = exam.mark(blend, protocol.metrics());
            let n = marks.len() as f64;
            print!("{protocol} {part:?} {name:10} n={n} cat={}", exam.catalogue.len());
            for (i, metric) in protocol.metrics().iter().enumerate() {
                print!(" {metric} {:.4}", marks.iter().map(|(_, m)| m[i]).sum::<f64>() / n);
            }
            println!(" {:.2} ms/q", t.elapsed().as_secs_f64() * 1e3 / n);
        };
        println!("built {built:?} fit {:?}", fit - built);
        show("blend", blend);
        for s in crate::domain::Signal::ALL {
            if blend.weight(s) > 0.0 || args.get(3).is_some() {
                show(&format!("{s:?}"), &crate::domain::Blend::none().with(s, 1.0));
            }
        }
    }
}
