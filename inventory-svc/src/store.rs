//! One function per statement; the statements are in `store/sql/`.
