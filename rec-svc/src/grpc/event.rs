//! Behaviour events, parsed once.

use std::time::Duration;

use holdfast_contracts::events::v1 as pb;
use holdfast_platform::status::Refusal;
use prost_types::Timestamp;

use crate::domain::{Actor, Event, Kind, Time};

/// How many events one call may record.
const EVENTS_MAX: usize = 1_000;
/// How far a shopper's clock may be ahead of ours.
const AHEAD_MAX: Duration = Duration::from_secs(5 * 60);
/// How old an event may be: a shop's history may be loaded, a clock stuck at 1970 not.
const AGE_MAX: Duration = Duration::from_secs(5 * 365 * 86_400);

/// Parses a whole request; the first event at fault is named by its place.
pub(super) fn parse_events(events: Vec<pb::BehaviourEvent>, now: Time) -> Result<Vec<Event>, Refusal> {
    if events.is_empty() || events.len() > EVENTS_MAX {
        return Err(Refusal::invalid(
            "events",
            format!("has {} entries: 1 to {EVENTS_MAX} are accepted", events.len()),
        ));
    }
    events.into_iter().enumerate().map(|(index, event)| parse_event(index, event, now)).collect()
}

fn parse_event(index: usize, event: pb::BehaviourEvent, now: Time) -> Result<Event, Refusal> {
    let invalid =
        |field: &str, problem: &dyn std::fmt::Display| Refusal::invalid(format!("events[{index}].{field}"), problem);
    let kind = parse_kind(event.kind).map_err(|problem| invalid("kind", &problem))?;
    let id = event.id.parse().map_err(|problem| invalid("id", &problem))?;
    let product = event.product_id.parse().map_err(|problem| invalid("product_id", &problem))?;
    let customer = given(&event.customer_id).map(str::parse).transpose();
    let session = given(&event.session_id).map(str::parse).transpose();
    let actor = Actor::new(
        customer.map_err(|problem| invalid("customer_id", &problem))?,
        session.map_err(|problem| invalid("session_id", &problem))?,
    )
    .ok_or_else(|| invalid("customer_id", &"or session_id must be given"))?;
    let time = match event.event_time {
        Some(time) => parse_time(time, now).map_err(|problem| invalid("event_time", &problem))?,
        None => now,
    };
    Ok(Event { id, kind, actor, product, time })
}

pub(super) fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn parse_kind(number: i32) -> Result<Kind, String> {
    use pb::behaviour_event::Kind as Wire;
    match Wire::try_from(number) {
        Ok(Wire::View) => Ok(Kind::View),
        Ok(Wire::AddToCart) => Ok(Kind::AddToCart),
        Ok(Wire::Purchase) => Ok(Kind::Purchase),
        Ok(Wire::Unspecified) => Err("must be given".into()),
        Err(_) => Err(format!("{number} is not known")),
    }
}

pub(super) fn parse_time(time: Timestamp, now: Time) -> Result<Time, String> {
    let ms = Some(time.nanos)
        .filter(|nanos| (0..1_000_000_000).contains(nanos))
        .and_then(|nanos| time.seconds.checked_mul(1_000)?.checked_add(i64::from(nanos) / 1_000_000))
        .ok_or("is not a time")?;
    let time = Time::from_ms(ms).ok_or("is before 1970")?;
    if time > now && time.gap(now) > AHEAD_MAX {
        return Err(format!(
            "is {} s in the future: at most {} s are accepted",
            time.gap(now).as_secs(),
            AHEAD_MAX.as_secs()
        ));
    }
    if time < now && time.gap(now) > AGE_MAX {
        let days = |span: Duration| span.as_secs() / 86_400;
        return Err(format!("is {} days old: at most {} are accepted", days(time.gap(now)), days(AGE_MAX)));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use pb::behaviour_event::Kind as Wire;

    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn event() -> pb::BehaviourEvent {
        pb::BehaviourEvent {
            id: "0198c5a0-0000-7000-8000-000000000001".into(),
            kind: Wire::View.into(),
            customer_id: "c1".into(),
            session_id: "s1".into(),
            product_id: "hoodie".into(),
            event_time: Some(Timestamp { seconds: NOW_S - 60, nanos: 5_000_000 }),
        }
    }

    fn parse(event: pb::BehaviourEvent) -> Result<Event, String> {
        let now = Time::from_ms(NOW_S * 1_000).expect("after 1970");
        parse_events(vec![event], now).map(|mut events| events.remove(0)).map_err(|refusal| refusal.message)
    }

    fn at(seconds: i64, nanos: i32) -> pb::BehaviourEvent {
        pb::BehaviourEvent { event_time: Some(Timestamp { seconds, nanos }), ..event() }
    }

    #[test]
    fn a_whole_event_keeps_what_it_says() {
        let parsed = parse(event()).expect("valid");
        assert_eq!(parsed.kind, Kind::View);
        assert_eq!(parsed.time.ms(), (NOW_S - 60) * 1_000 + 5);
        assert_eq!(parsed.actor.customer().map(|customer| customer.as_str()), Some("c1"));
        assert_eq!(parsed.actor.session().map(|session| session.as_str()), Some("s1"));
        let now = parse(pb::BehaviourEvent { event_time: None, ..event() }).expect("valid");
        assert_eq!(now.time.ms(), NOW_S * 1_000);
        assert!(parse(at(NOW_S + 299, 0)).is_ok());
    }

    #[test]
    fn every_refusal_names_its_field() {
        let refused = [
            (pb::BehaviourEvent { id: "7".into(), ..event() }, "events[0].id must be a UUID"),
            (pb::BehaviourEvent { kind: 0, ..event() }, "events[0].kind must be given"),
            (pb::BehaviourEvent { kind: 9, ..event() }, "events[0].kind 9 is not known"),
            (pb::BehaviourEvent { product_id: "a/b".into(), ..event() }, "events[0].product_id has a character"),
            (pb::BehaviourEvent { customer_id: "\n".into(), ..event() }, "events[0].customer_id has a character"),
            (pb::BehaviourEvent { session_id: "x".repeat(129), ..event() }, "events[0].session_id has 129 characters"),
            (
                pb::BehaviourEvent { customer_id: String::new(), session_id: String::new(), ..event() },
                "events[0].customer_id or session_id must be given",
            ),
            (at(NOW_S + 301, 0), "events[0].event_time is 301 s in the future"),
            (at(i64::MAX, 0), "events[0].event_time is not a time"),
            (at(NOW_S, -1), "events[0].event_time is not a time"),
            (at(-1, 0), "events[0].event_time is before 1970"),
            (at(0, 0), "events[0].event_time is 20833 days old"),
        ];
        for (event, message) in refused {
            let refusal = parse(event).expect_err(message);
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }

    #[test]
    fn a_call_has_one_to_a_thousand_events() {
        let now = Time::from_ms(NOW_S * 1_000).expect("after 1970");
        assert!(parse_events(vec![], now).is_err());
        assert!(parse_events(vec![event(); EVENTS_MAX], now).is_ok());
        assert!(parse_events(vec![event(); EVENTS_MAX + 1], now).is_err());
    }
}
