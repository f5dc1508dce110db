//! PlaceOrderRequest, parsed once and for all.

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;

use holdfast_contracts::RequestId;
use holdfast_contracts::common::v1::Money as PbMoney;
use holdfast_contracts::order::v1 as pb;
use holdfast_platform::status::Refusal;

use crate::domain::line::{AskedLine, LINES_MAX, QUANTITY_MAX};
use crate::domain::money::Money;
use crate::domain::order::PaymentMethod;
use crate::domain::place::PlaceOrder;

/// The longest provider name or token, in bytes.
const PAYMENT_TEXT_BYTES_MAX: usize = 255;

impl TryFrom<pb::PlaceOrderRequest> for PlaceOrder {
    type Error = Refusal;

    fn try_from(request: pb::PlaceOrderRequest) -> Result<Self, Refusal> {
        let id: RequestId = parse("request_id", &request.request_id)?;
        let reservation_id = match request.reservation_id.is_empty() {
            true => None,
            false => Some(parse::<RequestId>("reservation_id", &request.reservation_id)?.uuid()),
        };
        let method = request.payment.ok_or_else(|| Refusal::invalid("payment", "must be given"))?;
        Ok(Self {
            id: id.into(),
            customer: parse("customer_id", &request.customer_id)?,
            lines: parse_lines(request.lines, reservation_id.is_some())?,
            method: PaymentMethod {
                provider: parse_payment_text("payment.provider", method.provider)?,
                token: parse_payment_text("payment.token", method.token)?,
            },
            reservation_id,
        })
    }
}

fn parse_lines(lines: Vec<pb::place_order_request::Line>, may_be_empty: bool) -> Result<Vec<AskedLine>, Refusal> {
    if lines.is_empty() && !may_be_empty {
        return Err(Refusal::invalid("lines", "must not be empty where no reservation_id is given"));
    }
    if lines.len() > LINES_MAX {
        return Err(Refusal::invalid("lines", format!("has {} lines: at most {LINES_MAX} are accepted", lines.len())));
    }
    let lines: Vec<AskedLine> =
        lines.into_iter().enumerate().map(|(index, line)| parse_line(index, line)).collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    for (index, line) in lines.iter().enumerate() {
        // Without a location the stock picks one per line, so such a SKU may stand there once.
        if !seen.insert((&line.sku, &line.location)) {
            return Err(Refusal::invalid(format!("lines[{index}].sku"), "is there twice for the same location"));
        }
    }
    let currencies: HashSet<_> = lines.iter().filter_map(|line| line.unit_price).map(|price| price.currency).collect();
    if currencies.len() > 1 {
        return Err(Refusal::invalid("lines", "must all share one currency"));
    }
    Ok(lines)
}

fn parse_line(index: usize, line: pb::place_order_request::Line) -> Result<AskedLine, Refusal> {
    let quantity = u32::try_from(line.quantity).ok().filter(|quantity| (1..=QUANTITY_MAX).contains(quantity));
    let quantity = quantity.ok_or_else(|| {
        let problem = format!("is {}: must be from 1 to {QUANTITY_MAX}", line.quantity);
        Refusal::invalid(format!("lines[{index}].quantity"), problem)
    })?;
    let location = match line.location_id.is_empty() {
        true => None,
        false => Some(parse(&format!("lines[{index}].location_id"), &line.location_id)?),
    };
    Ok(AskedLine {
        sku: parse(&format!("lines[{index}].sku"), &line.sku)?,
        quantity,
        unit_price: line.unit_price.map(|price| parse_price(index, &price)).transpose()?,
        location,
    })
}

fn parse_price(index: usize, price: &PbMoney) -> Result<Money, Refusal> {
    if price.amount_minor < 0 {
        return Err(Refusal::invalid(format!("lines[{index}].unit_price.amount_minor"), "must not be negative"));
    }
    let currency = parse(&format!("lines[{index}].unit_price.currency_code"), &price.currency_code)?;
    Ok(Money { currency, amount_minor: price.amount_minor })
}

fn parse_payment_text(field: &str, text: String) -> Result<String, Refusal> {
    match text.len() {
        0 => Err(Refusal::invalid(field, "must not be empty")),
        1..=PAYMENT_TEXT_BYTES_MAX if !text.chars().any(char::is_control) => Ok(text),
        1..=PAYMENT_TEXT_BYTES_MAX => Err(Refusal::invalid(field, "must not have control characters")),
        bytes => {
            Err(Refusal::invalid(field, format!("has {bytes} bytes: at most {PAYMENT_TEXT_BYTES_MAX} are accepted")))
        }
    }
}

/// A field's text as what it means.
pub(super) fn parse<T>(field: &str, text: &str) -> Result<T, Refusal>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| Refusal::invalid(field, error))
}
