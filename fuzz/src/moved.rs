//! What comes in from elsewhere: rules, pages with front matter, tables, pictures.

use strongroom::transfer::{Columns, Page, Picture, Rules, RulesFor, Table, clean};

/// A file of rules. Whatever they say of a thing fits on a line, and is no longer than a name may be.
pub fn import_rules(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(rules) = Rules::parse(text) else {
        return false;
    };
    for path in ["clients/halcyon/gate 4.md", "a", "x/old/.y", &"d/".repeat(40)] {
        let given = rules.given(&RulesFor {
            path,
            column: &|_| Some("Incident, minor"),
        });
        for value in [&given.client, &given.case, &given.title, &given.label, &given.template] {
            let value = value.as_deref().unwrap_or_default();
            assert!(value.chars().count() <= 200 && !value.chars().any(char::is_control));
        }
    }
    true
}

/// A page. What was understood of it is written as a page that says the same, and of the text nothing is lost.
pub fn import_page(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let page = Page::read(text);
    assert!(text.ends_with(page.text));
    let _ = page.heading();
    let written = page.front.write(page.text);
    assert!(Page::read(&written) == page);
    page.text.len() < text.len()
}

/// A table. Every row is as wide as the header, or says why it is none.
pub fn import_table(data: &[u8]) -> bool {
    let Ok(table) = Table::read(data, &Columns::default()) else {
        return false;
    };
    let mut any = false;
    for row in &table.rows {
        if let Ok(cells) = &row.cells {
            any |= table.of(cells, "body").is_some();
            let _ = (table.fields(cells), table.column(cells, "Kind"), table.left(&["label"]));
        }
    }
    any
}

/// A picture. Cleaned it tells nothing any more, whatever it told before, and cleaning it again changes nothing.
pub fn picture(data: &[u8]) -> bool {
    let told = Picture::look(data, true);
    // Of any beginning something can be said.
    let _ = Picture::look(&data[..data.len() / 2], false);
    let Ok((cleaned, left_out)) = clean(data) else {
        return false;
    };
    assert!(cleaned.len() <= data.len());
    assert!(told.is_some_and(|told| left_out.is_subset(&told.tells)));
    assert!(Picture::look(&cleaned, true).is_some_and(|left| left.tells.is_empty() && left.whole));
    assert!(clean(&cleaned).is_ok_and(|(again, more)| again == cleaned && more.is_empty()));
    true
}
