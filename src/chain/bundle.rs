//! Closed bundles: each full 256 lines of a log as one file of its tree (docs/FORMAT.md §8).

use super::entry::ENTRY_MAX;

/// Entries in a closed bundle.
pub const BUNDLE_LEN: u64 = 256;
/// The largest bundle, in bytes.
pub(super) const BUNDLE_MAX: usize = BUNDLE_LEN as usize * (ENTRY_MAX + 1);

/// Bytes that are no closed bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    /// Not 256 lines.
    #[error("a closed bundle has 256 lines, this one has {0}")]
    Lines(usize),
    /// Not ended by a newline, or too large.
    #[error("this bundle is cut short or too large")]
    Cut,
}

/// The path of bundle `number` in the log's tree: `bundles/<hhhh>/<hh>`.
pub fn bundle_path(number: u64) -> String {
    let hex = format!("{number:06x}");
    let (folder, file) = hex.split_at(hex.len() - 2);
    format!("bundles/{folder}/{file}")
}

/// The bytes of a bundle: each line with its newline.
pub fn write_bundle<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

/// Lines without newlines, also of what is no bundle.
pub fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b'\n', bytes);
    let rest = (!bytes.is_empty() && bytes.last() != Some(&b'\n')).then_some(bytes.len());
    let mut begin = 0;
    ends.chain(rest).map(move |end| {
        let line = &bytes[begin..end];
        begin = end + 1;
        line
    })
}

/// The 256 lines of a bundle, without newlines.
pub fn parse_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, BadBundle> {
    if bytes.len() > BUNDLE_MAX {
        return Err(BadBundle::Cut);
    }
    if bytes.last() != Some(&b'\n') {
        return Err(BadBundle::Cut);
    }
    let mut lines = Vec::with_capacity(BUNDLE_LEN as usize);
    lines.extend(lines_of(bytes));
    if lines.len() as u64 == BUNDLE_LEN {
        Ok(lines)
    } else {
        Err(BadBundle::Lines(lines.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_comes_back() {
        let lines: Vec<Vec<u8>> = (0..256).map(|n| format!("line {n}").into_bytes()).collect();
        let bytes = write_bundle(lines.iter().map(Vec::as_slice));
        let parsed = parse_bundle(&bytes).unwrap();
        assert_eq!(parsed, lines);
        assert_eq!(write_bundle(parsed), bytes);
        assert_eq!(parse_bundle(&bytes[..bytes.len() - 1]), Err(BadBundle::Cut));
        assert_eq!(parse_bundle(&bytes[7..]), Err(BadBundle::Lines(255)));
        assert_eq!(parse_bundle(b""), Err(BadBundle::Cut));
        for (bytes, expected) in [
            ("", &[][..]),
            ("\n", &[""]),
            ("a", &["a"]),
            ("a\n\nb", &["a", "", "b"]),
            ("a\nb\n", &["a", "b"]),
        ] {
            let found: Vec<&[u8]> = lines_of(bytes.as_bytes()).collect();
            assert_eq!(
                found,
                expected.iter().map(|line| line.as_bytes()).collect::<Vec<_>>(),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn paths_are_fixed_and_two_deep() {
        assert_eq!(bundle_path(0), "bundles/0000/00");
        assert_eq!(bundle_path(0x12345), "bundles/0123/45");
    }
}
