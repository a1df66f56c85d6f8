//! What comes in from elsewhere and goes out in the open: rules that say what becomes of it, pages with front matter, tables,
//! archives, pictures. Bytes come in and go out; no IO.

mod archive;
mod cleaning;
mod page;
mod pictures;
mod rules;
mod table;

pub use archive::{Archive, BadName};
pub use cleaning::{LeftOut, Unclean, clean};
pub use page::{Front, Page, moment};
pub use pictures::{LOOKED_AT, Picture};
pub use rules::{BadRules, Given, Rules, RulesFor};
pub use table::{BadTable, Columns, Row, Table};
