//! A provider to try things with: durable, and it misbehaves on demand, by token.

use std::time::Duration;

use holdfast_platform::pg::{self, Execute, Params, Pool};
use holdfast_platform::task::spawn_joined;
use tokio_postgres::Row;

use super::{Answer, Charge, ChargeStatus, PaymentId, Provider, Receipt, TokenError, Unanswered};

/// Its name in requests.
pub const NAME: &str = "sandbox";

/// What a token makes it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Ok,
    Declined,
    /// Never answers; nothing is charged.
    Timeout,
    /// Charges, then the connection drops before the answer.
    Drop,
    /// Never answers; the charge appears some time later.
    Late,
}

const TOKENS: [(&str, Token); 5] = [
    ("tok_ok", Token::Ok),
    ("tok_declined", Token::Declined),
    ("tok_timeout", Token::Timeout),
    ("tok_drop", Token::Drop),
    ("tok_late", Token::Late),
];

fn parse_token(text: &str) -> Result<Token, TokenError> {
    TOKENS.iter().find(|(name, _)| *name == text).map(|(_, token)| *token).ok_or_else(|| {
        let names: Vec<&str> = TOKENS.iter().map(|(name, _)| *name).collect();
        TokenError(format!("is not a sandbox token: {}", names.join(", ")))
    })
}

/// The provider; its books are a table of their own in our database.
pub struct Sandbox {
    pool: Pool,
    late_after: Duration,
}

impl Sandbox {
    /// A charge made with `tok_late` appears after `late_after`.
    pub fn new(pool: Pool, late_after: Duration) -> Self {
        Self { pool, late_after }
    }

    /// Enters a charge in the books, whether or not whoever asked for it waits: a provider does not stop half-way
    /// because its caller hung up.
    async fn enter(
        &self,
        charge: &Charge,
        status: ChargeStatus,
        late_after: Duration,
    ) -> Result<Option<Receipt>, Unanswered> {
        let entering = spawn_joined(enter(self.pool.clone(), charge.clone(), status, late_after));
        entering.await.map_err(|panic| Unanswered(panic.to_string()))?
    }

    async fn ask(&self, sql: &'static str, id: PaymentId) -> Result<Option<Receipt>, Unanswered> {
        let connection = self.pool.get().await.map_err(|error| unanswered(error.into()))?;
        let row = connection.query_opt(sql, &[&id.0]).await.map_err(unanswered)?;
        row.map(|row| receipt(id, &row)).transpose()
    }
}

impl Provider for Sandbox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check_token(&self, token: &str) -> Result<(), TokenError> {
        parse_token(token).map(drop)
    }

    fn authorize<'a>(&'a self, charge: &'a Charge) -> Answer<'a> {
        Box::pin(async move {
            match parse_token(&charge.token).map_err(|error| Unanswered(error.to_string()))? {
                Token::Ok => self.enter(charge, ChargeStatus::Authorized, Duration::ZERO).await,
                Token::Declined => self.enter(charge, ChargeStatus::Declined, Duration::ZERO).await,
                Token::Timeout => std::future::pending().await,
                Token::Drop => {
                    self.enter(charge, ChargeStatus::Authorized, Duration::ZERO).await?;
                    Err(Unanswered("the connection was dropped".into()))
                }
                Token::Late => {
                    self.enter(charge, ChargeStatus::Authorized, self.late_after).await?;
                    std::future::pending().await
                }
            }
        })
    }

    fn capture(&self, id: PaymentId) -> Answer<'_> {
        Box::pin(self.ask(include_str!("sql/sandbox_capture.sql"), id))
    }

    fn void(&self, id: PaymentId) -> Answer<'_> {
        Box::pin(self.ask(include_str!("sql/sandbox_void.sql"), id))
    }

    fn refund(&self, id: PaymentId) -> Answer<'_> {
        Box::pin(self.ask(include_str!("sql/sandbox_refund.sql"), id))
    }

    fn lookup(&self, id: PaymentId) -> Answer<'_> {
        Box::pin(self.ask(include_str!("sql/sandbox_lookup.sql"), id))
    }
}

async fn enter(
    pool: Pool,
    charge: Charge,
    status: ChargeStatus,
    late_after: Duration,
) -> Result<Option<Receipt>, Unanswered> {
    let connection = pool.get().await.map_err(|error| unanswered(error.into()))?;
    let late_ms = i64::try_from(late_after.as_millis()).unwrap_or(i64::MAX);
    let params: Params<'_> = &[
        &charge.id.0,
        &charge.reference,
        &word(status),
        &charge.amount.currency.as_str(),
        &charge.amount.amount_minor,
        &late_ms,
    ];
    let row = connection.query_one(include_str!("sql/sandbox_authorize.sql"), params).await.map_err(unanswered)?;
    receipt(charge.id, &row).map(Some)
}

fn receipt(id: PaymentId, row: &Row) -> Result<Receipt, Unanswered> {
    let status = match row.get::<_, &str>("status") {
        "AUTHORIZED" => ChargeStatus::Authorized,
        "CAPTURED" => ChargeStatus::Captured,
        "VOIDED" => ChargeStatus::Voided,
        "REFUNDED" => ChargeStatus::Refunded,
        "DECLINED" => ChargeStatus::Declined,
        other => return Err(Unanswered(format!("unknown status {other}"))),
    };
    Ok(Receipt { status, provider_payment_id: format!("sbx_{}", id.0.simple()) })
}

const fn word(status: ChargeStatus) -> &'static str {
    match status {
        ChargeStatus::Authorized => "AUTHORIZED",
        ChargeStatus::Captured => "CAPTURED",
        ChargeStatus::Voided => "VOIDED",
        ChargeStatus::Refunded => "REFUNDED",
        ChargeStatus::Declined => "DECLINED",
    }
}

fn unanswered(error: pg::Error) -> Unanswered {
    Unanswered(error.to_string())
}
