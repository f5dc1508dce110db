//! Whole imports against a server that keeps what it is sent and misbehaves on demand.

mod fake;

use std::path::PathBuf;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::server;
use holdfast_platform::task::Tasks;

use self::fake::Fake;
use super::*;
use crate::command::import::summary::{FileSummary, Products, Rows, Stock};

const PRODUCTS: &str = "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src\n\
    tee,Tee,Acme,Size,S,T-S,5,20.00,\n\
    tee,,,,M,T-M,7,20.00,\n\
    tee,,,,,,,,http://i/2\n\
    cap,Cap,Ünder,Title,Default Title,,3,15.00,\n";
const STOCK: &str = "sku,location,on_hand\nT-S,main,9\nT-M,Lager Köln,4\ncap,main,3\nGHOST,main,1\n";

/// A folder of files that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("holdfast-import-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("a file");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn rejects(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.rejects.csv"))).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn import(fake: &Fake, folder: &Folder, names: &[&str]) -> Summary {
    let files: Vec<PathBuf> = names.iter().map(|name| folder.path(name)).collect();
    import_files(fake.wire(), &Options::default(), &files, Output::new(true)).await.expect("an import")
}

fn stock(file: &FileSummary) -> (u64, u64, u64) {
    let Stock { set, unchanged, refused, levels } = &file.stock;
    assert_eq!(*levels, set + unchanged + refused);
    (*set, *unchanged, *refused)
}

#[tokio::test]
async fn everything_arrives_and_every_row_is_accounted_for() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS), ("s.csv", STOCK)]));
    // The stock first: products go in before it whatever the order.
    let summary = import(&fake, &folder, &["s.csv", "p.csv"]).await;
    let [s, p] = &summary.files[..] else { panic!("two files") };
    assert_eq!(p.products, Products { found: 2, created: 2, ..Products::default() });
    assert_eq!((p.rows.total, p.rows.taken, p.rows.skipped), (4, 3, 1));
    assert_eq!((s.rows.total, s.rows.taken, s.rows.rejected), (4, 3, 1));
    assert_eq!((summary.brands_created, summary.locations_created), (2, 2));

    // The stock file goes before the product export for what both say.
    assert_eq!(stock(s), (3, 0, 1));
    assert_eq!(stock(p), (1, 0, 0));
    let on_hand = |sku, location| fake.level(sku, location).expect("a level").on_hand;
    assert_eq!((on_hand("T-S", "main"), on_hand("T-M", "main")), (9, 7));
    assert_eq!((on_hand("T-M", "lager-koeln"), on_hand("cap", "main")), (4, 3));
    assert_eq!(fake.priorities(), [("main".to_owned(), 0), ("lager-koeln".to_owned(), 1)]);

    assert!(folder.rejects("s.csv").contains("5,on_hand,1,SKU_NOT_FOUND: no variant has SKU GHOST"));
    assert_eq!(folder.rejects("p.csv"), "");
    assert_eq!(format!("{:?}", summary.exit_code()), format!("{:?}", ExitCode::from(2)));
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS), ("s.csv", STOCK)]));
    import(&fake, &folder, &["p.csv", "s.csv"]).await;
    let writes = fake.writes();
    // The rejects of the first run come along, as they do with *.csv.
    let summary = import(&fake, &folder, &["p.csv", "s.csv", "s.csv.rejects.csv"]).await;
    let [p, s] = &summary.files[..] else { panic!("two files, the rejects left out") };
    assert_eq!(p.products, Products { found: 2, unchanged: 2, ..Products::default() });
    assert_eq!((stock(p), stock(s)), ((0, 1, 0), (0, 3, 1)));
    assert_eq!((summary.brands_created, summary.locations_created, summary.left_out.len()), (0, 0, 1));
    assert_eq!(fake.writes(), writes);
}

#[tokio::test]
async fn it_is_the_same_over_tcp() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS), ("s.csv", STOCK)]));
    let listener = server::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let tasks = Tasks::new();
    let (routes, stopping) = (fake.routes(), tasks.stopping());
    tasks.spawn("fake server", async move {
        server::serve(listener, routes, stopping.cancelled_owned()).await.expect("a server");
    });
    let wire = client::tcp(&address).expect("an address");
    let files = [folder.path("p.csv"), folder.path("s.csv")];
    let options = Options::default();
    let first = import_files(wire.clone(), &options, &files, Output::new(true)).await.expect("an import");
    assert_eq!((stock(&first.files[0]), stock(&first.files[1])), ((1, 0, 0), (3, 0, 1)));
    let second = import_files(wire, &options, &files, Output::new(true)).await.expect("an import");
    assert_eq!((stock(&second.files[0]), stock(&second.files[1])), ((0, 1, 0), (0, 3, 1)));
    tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_lost_race_is_read_again_and_repeated() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS)]));
    fake.race("T-S", 3);
    let summary = import(&fake, &folder, &["p.csv"]).await;
    assert_eq!(stock(&summary.files[0]), (3, 0, 0));
    let level = fake.level("T-S", "main").expect("a level");
    assert_eq!((level.on_hand, level.version), (5, 4), "three strangers' changes and ours");
}

#[tokio::test]
async fn a_race_that_never_ends_is_a_reject() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS)]));
    fake.race("T-S", 1_000);
    let summary = import(&fake, &folder, &["p.csv"]).await;
    assert_eq!(stock(&summary.files[0]), (2, 0, 1));
    assert!(folder.rejects("p.csv").contains("STOCK_VERSION_MISMATCH"));
    assert_eq!(summary.files[0].rows.in_part, 1, "the variant itself was taken");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_is_asked_for_again_and_has_one_effect() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS)]));
    fake.lose_answers(4);
    let summary = import(&fake, &folder, &["p.csv"]).await;
    assert_eq!(stock(&summary.files[0]), (3, 0, 0));
    assert!(["T-S", "T-M", "cap"].iter().all(|sku| fake.level(sku, "main").expect("a level").version == 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_an_error_and_the_next_run_goes_on() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS)]));
    fake.lose_answers(1_000_000);
    let error = import_files(fake.wire(), &Options::default(), &[folder.path("p.csv")], Output::new(true)).await;
    assert!(error.expect_err("the server is away").to_string().contains("cannot be reached"));
    fake.lose_answers(0);
    let summary = import(&fake, &folder, &["p.csv"]).await;
    assert_eq!(stock(&summary.files[0]), (3, 0, 0));
}

#[tokio::test]
async fn a_refusal_lands_in_the_rejects() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS), ("s.csv", "sku,on_hand\nT-S,1\nT-M,8\n")]));
    import(&fake, &folder, &["p.csv"]).await;
    fake.promise("T-S", 2);
    let summary = import(&fake, &folder, &["s.csv"]).await;
    assert_eq!(stock(&summary.files[0]), (1, 0, 1));
    assert_eq!(summary.files[0].rows, Rows { total: 2, taken: 1, rejected: 1, ..Rows::default() });
    assert!(folder.rejects("s.csv").contains("2,on_hand,1,STOCK_BELOW_PROMISED: "));

    // What was promised is sold elsewhere: the next run takes it, and clears the rejects.
    fake.promise("T-S", 0);
    assert_eq!(stock(&import(&fake, &folder, &["s.csv"]).await.files[0]), (1, 1, 0));
    assert_eq!(folder.rejects("s.csv"), "");
}

#[tokio::test]
async fn a_refused_product_takes_its_stock_with_it() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS)]));
    fake.refuse_product("tee", Reason::SkuTaken);
    let summary = import(&fake, &folder, &["p.csv"]).await;
    let [p] = &summary.files[..] else { panic!("one file") };
    assert_eq!(p.products, Products { found: 2, created: 1, refused: 1, ..Products::default() });
    assert_eq!((p.rows.taken, p.rows.skipped, p.rows.rejected), (1, 1, 2));
    assert!(fake.level("T-S", "main").is_none());
    assert_eq!(folder.rejects("p.csv").matches("SKU_TAKEN").count(), 2);
}

#[tokio::test]
async fn a_rejected_row_never_retires_its_variant() {
    let broken = PRODUCTS.replace("T-M,7,20.00", "T-M,7,free");
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS), ("broken.csv", &broken)]));
    import(&fake, &folder, &["p.csv"]).await;
    let summary = import(&fake, &folder, &["broken.csv"]).await;
    assert_eq!(summary.files[0].products.unchanged, 2);
    assert_eq!(fake.skus("tee"), ["T-M", "T-S"]);
}

#[tokio::test]
async fn two_files_with_one_product_settle_the_same_way_every_time() {
    let other = PRODUCTS.replace("Tee", "Other tee");
    let (fake, folder) = (Fake::new(), Folder::new(&[("a.csv", PRODUCTS), ("b.csv", &other)]));
    for unchanged in [0, 2] {
        let summary = import(&fake, &folder, &["a.csv", "b.csv"]).await;
        assert_eq!(summary.files[0].products.unchanged, unchanged);
        assert_eq!(summary.files[1].rows.rejected, 3);
    }
}

#[tokio::test]
async fn a_dry_run_sends_and_writes_nothing() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("s.csv", "sku,on_hand\nA,500+\n")]));
    let options = Options { dry_run: true, ..Options::default() };
    let summary =
        import_files(fake.wire(), &options, &[folder.path("s.csv")], Output::new(true)).await.expect("a dry run");
    assert_eq!((summary.files[0].rows.rejected, fake.writes()), (1, 0));
    assert_eq!(folder.rejects("s.csv"), "");
}

#[tokio::test]
async fn a_file_that_is_not_known_stops_the_import_before_it_starts() {
    let (fake, folder) = (Fake::new(), Folder::new(&[("p.csv", PRODUCTS), ("x.csv", "name,colour\na,b\n")]));
    let files = [folder.path("p.csv"), folder.path("x.csv"), folder.path("gone.csv")];
    let error = import_files(fake.wire(), &Options::default(), &files, Output::new(true)).await.expect_err("no import");
    let told = error.to_string();
    assert!(told.contains("x.csv: is no file we know. Its columns are: name, colour"), "{told}");
    assert!(told.contains("stock list: has no sku, no on_hand") && told.contains("gone.csv"), "{told}");
    assert_eq!(fake.writes(), 0);
}

#[tokio::test]
async fn the_demo_catalogue_arrives_and_its_second_run_changes_nothing() {
    let (fake, folder) = (Fake::new(), Folder::new(&[]));
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let names = ["beauty", "fashion", "inventory", "stock", "streetwear", "wine"];
    let files: Vec<PathBuf> = names.iter().map(|name| demo.join(format!("{name}.csv"))).collect();
    // A read-only checkout must do.
    let options = Options { rejects_dir: Some(folder.path("rejects")), ..Options::default() };
    let mut writes = 0;
    for is_first in [true, false] {
        let summary = import_files(fake.wire(), &options, &files, Output::new(true)).await.expect("an import");
        let [created, updated, unchanged, refused] = summary.files.iter().fold([0; 4], |[c, u, n, r], file| {
            let Products { created, updated, unchanged, refused, .. } = &file.products;
            [c + created, u + updated, n + unchanged, r + refused]
        });
        assert_eq!([created, updated, unchanged, refused], if is_first { [67, 0, 0, 0] } else { [0, 0, 67, 0] });
        assert_eq!(summary.files.iter().map(|file| file.variants).sum::<u64>(), 248);
        let refused: Vec<_> = summary.files.iter().map(|file| file.stock.refused).collect();
        assert_eq!(refused, [0, 0, 0, REFUSED_DEMO_LEVELS, 0, 0]);
        if is_first {
            writes = fake.writes();
        }
        assert_eq!(fake.writes(), writes);
    }
    assert_eq!(fake.level("HOODIE-DROP-M", "main").expect("the drop").on_hand, 500);
    assert_eq!(fake.priorities().first().map(|(id, _)| id.clone()).as_deref(), Some("main"));
}

/// LUNE-01, which several variants shared; NO-SUCH-SKU; and HULL-L at three places, whose price is no price.
const REFUSED_DEMO_LEVELS: u64 = 5;
