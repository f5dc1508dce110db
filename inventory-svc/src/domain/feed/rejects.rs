//! The rejects file: each reject beside the row it stands for, to find it and put it right in the original.

use super::books::Reject;
use super::table::Table;

pub(super) fn write(table: &Table, rejects: &[Reject]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let own = ["line", "column", "value", "reason"].into_iter();
    // Writing to memory fails for nothing but unequal lengths, and those are allowed here.
    let mut put = |fields: Vec<&str>| writer.write_record(fields).expect("a Vec takes every write");
    put(own.chain(table.header.iter().map(String::as_str)).collect());
    for reject in rejects {
        let row = &table.rows[reject.row];
        let (line, reason) = (row.line.to_string(), reject.fault.to_string());
        let said = [line.as_str(), &reject.column, &reject.value, &reason].into_iter();
        put(said.chain(row.cells.iter().map(String::as_str)).collect());
    }
    writer.into_inner().expect("a Vec takes every write")
}
