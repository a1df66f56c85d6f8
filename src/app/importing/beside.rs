//! Which note a file beside the texts of a folder belongs to: among whose attachments it lies, or whose text names it.

use super::super::export::files::MANIFEST;
use super::SourceKind;
use super::gather::{Gathered, Mapping, PATH_MAX, Thing, file_name, is_text, left, note_of, without_end};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use unicode_normalization::UnicodeNormalization;

/// How many places are tried where a path in a text may begin: nothing says where, if folders have spaces in their names.
const BEGINNINGS: usize = 32;

/// A file that is attached to a note.
pub(super) struct Beside {
    /// Its path in the source.
    pub(super) path: String,
    /// The label that the rules give that path, as it is written.
    pub(super) label: Option<String>,
    /// It lies in another folder than the text that names it.
    pub(super) is_apart: bool,
}

/// Gives each of the `others` to its note, or says why it has none. `texts` are the texts of the folder without their endings,
/// also those that are not taken.
pub(super) fn put_beside(
    kind: SourceKind,
    others: &[&str],
    texts: &HashSet<&str>,
    mapping: &Mapping<'_>,
    gathered: &mut Gathered,
) {
    let attach = kind == SourceKind::Folder && mapping.query.attach;
    let is_own = |path: &str| note_of(path).is_some_and(|note| texts.contains(note));
    let claims = match attach {
        // A text is nobody's but its note's: there it has the label that it had. So is what lies among the attachments of one.
        true => {
            let loose = others.iter().copied().filter(|path| !is_own(path) && !is_text(path));
            claimed(loose, &gathered.things)
        }
        false => HashMap::new(),
    };
    let mut own: HashMap<String, usize> = HashMap::new();
    for (at, thing) in gathered.things.iter().enumerate() {
        own.entry(without_end(&thing.path).to_owned()).or_insert(at);
    }
    let mut taken: HashSet<(usize, &str)> = HashSet::new();
    for path in others {
        let given = mapping.given(path, &|_| None);
        let claim = || match note_of(path).and_then(|note| own.get(note)) {
            Some(at) => Claim::of(*at),
            None if is_own(path) => Claim::NotTaken,
            None => claims.get(path).map_or(Claim::Nobody, |claim| *claim),
        };
        let why = match (kind, attach) {
            _ if given.skip => "a rule says so",
            (SourceKind::Folder, _) if file_name(path) == MANIFEST => {
                "it has the checksums of an export, and is no note"
            }
            (SourceKind::Folder, false) if is_text(path) => "it is attached to a note; --attach takes it along",
            (SourceKind::Folder, false) => "it is no text; --attach takes it along",
            (SourceKind::Folder, true) => match claim() {
                Claim::Text { thing, .. } if !taken.insert((thing, file_name(path))) => {
                    "another file of that name is attached to its note"
                }
                Claim::Text { thing, .. } => {
                    if let Some(thing) = gathered.things.get_mut(thing) {
                        thing.beside.push(Beside {
                            path: (*path).to_owned(),
                            label: given.label,
                            is_apart: !is_own(path) && folder_of(&thing.path) != folder_of(path),
                        });
                    }
                    continue;
                }
                Claim::NotTaken => "the note that it is attached to is not taken",
                Claim::Several { .. } => "several texts name it, and none of them is nearer to it than the others",
                Claim::Unclear => "a text names several files that are called so, and none of them is nearer to it",
                Claim::Nobody => "it is no text, and no text near it names it",
            },
            _ => "it is not of this kind of store",
        };
        gathered.left.push(left(*path, why, false));
    }
}

/// How near a text is to a file that it names: over how many folders, and whether only by its bare name.
type Near = (usize, bool);

/// Whose a file is, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Claim {
    /// Nobody names it.
    Nobody,
    /// Who names it names others as much.
    Unclear,
    /// That of a note.
    Text { thing: usize, near: Near },
    /// Several name it, and all are as near.
    Several { near: Near },
    /// That of a note that is not there.
    NotTaken,
}

impl Claim {
    fn of(thing: usize) -> Self {
        let near = (0, false);
        Self::Text { thing, near }
    }

    /// Whose it is, now that this one names it too.
    fn or(self, thing: usize, near: Near) -> Self {
        let new = Self::Text { thing, near };
        match self {
            Self::Nobody | Self::Unclear | Self::NotTaken => new,
            Self::Text { near: known, .. } | Self::Several { near: known } if near < known => new,
            Self::Text {
                thing: first,
                near: known,
            } if first != thing && near == known => Self::Several { near },
            known => known,
        }
    }
}

/// Which text each file is named by, of those that some text names.
fn claimed<'f>(files: impl Iterator<Item = &'f str>, things: &[Thing]) -> HashMap<&'f str, Claim> {
    let names = Names::of(files);
    let mut claims: HashMap<&str, Claim> = HashMap::new();
    if names.files.is_empty() {
        return claims;
    }
    // Many texts of one folder name the same: what is nearest to them is looked for once.
    let mut nearest: HashMap<(&str, usize), Option<(&str, usize)>> = HashMap::new();
    for (at, thing) in things.iter().enumerate() {
        let folder = folder_of(&thing.path);
        let mut bare: HashSet<usize> = HashSet::new();
        // Those that were looked for, by the longest, and how many they are: the others are its ends.
        let mut tried: HashSet<(&str, usize, usize)> = HashSet::new();
        for (start, name) in names.named_in(&thing.text) {
            let said = &thing.text[..start];
            if said.ends_with(['/', '\\']) {
                let paths = beginnings(said);
                let longest = paths.first().copied().unwrap_or_default();
                if !tried.insert((longest, paths.len(), name)) {
                    continue;
                }
                // Another path is another file, also where it is called the same.
                if let Some(file) = names.at(folder, &paths, name) {
                    let claim = claims.entry(file).or_insert(Claim::Nobody);
                    *claim = claim.or(at, (steps(folder, folder_of(file)), false));
                }
                continue;
            }
            if !bare.insert(name) {
                continue;
            }
            let near = *nearest
                .entry((folder, name))
                .or_insert_with(|| match names.nearest(folder, name) {
                    (files, away) if files.len() == 1 => Some((files[0], away)),
                    (files, _) => {
                        for file in files {
                            claims.entry(file).or_insert(Claim::Unclear);
                        }
                        None
                    }
                });
            if let Some((file, away)) = near {
                let claim = claims.entry(file).or_insert(Claim::Nobody);
                *claim = claim.or(at, (away, away > 0));
            }
        }
    }
    claims
}

/// The names of files, as they are looked for in texts. A character that can be written in two ways is the same in both: systems
/// differ in which of them they give files.
struct Names<'f> {
    /// Names of files, composed, and the paths of those that are called so, in order.
    files: Vec<(Cow<'f, str>, Vec<&'f str>)>,
    /// Files by their paths, composed.
    by_path: HashMap<Cow<'f, str>, Vec<&'f str>>,
    /// What is looked for, and the place of the name that it is.
    written: HashMap<String, usize>,
    /// By the first word of what is looked for: how much stands before that word, and how long all of it is. So a text is gone
    /// through once, however many files there are.
    words: HashMap<String, BTreeSet<(usize, usize)>>,
}

impl<'f> Names<'f> {
    fn of(files: impl Iterator<Item = &'f str>) -> Self {
        let mut by_name: BTreeMap<Cow<'f, str>, Vec<&'f str>> = BTreeMap::new();
        let mut by_path: HashMap<Cow<'f, str>, Vec<&'f str>> = HashMap::new();
        let mut written: HashMap<String, usize> = HashMap::new();
        let mut words_of: HashMap<String, BTreeSet<(usize, usize)>> = HashMap::new();
        let files: BTreeSet<&str> = files.collect();
        for path in files {
            by_name.entry(composed(file_name(path))).or_default().push(path);
            by_path.entry(composed(path)).or_default().push(path);
        }
        let files: Vec<_> = by_name.into_iter().collect();
        for (at, (name, _)) in files.iter().enumerate() {
            written.insert(name.to_string(), at);
        }
        // What a name is written as goes after what another one is.
        for (at, (name, paths)) in files.iter().enumerate() {
            let here = paths.iter().map(|path| file_name(path).to_owned());
            for way in here.chain(ways(name)) {
                written.entry(way).or_insert(at);
            }
        }
        for name in written.keys() {
            // What has no letter in its name is named by nobody.
            if let Some((start, end)) = words(name).next() {
                let word = name[start..end].to_owned();
                words_of.entry(word).or_default().insert((start, name.len()));
            }
        }
        Self {
            files,
            by_path,
            written,
            words: words_of,
        }
    }

    /// Where a text names files, not as a part of a longer name.
    fn named_in(&self, text: &str) -> Vec<(usize, usize)> {
        // Where a name ends, the longest that ends there is meant.
        let mut found: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for (start, end) in words(text) {
            for (before, length) in self.words.get(&text[start..end]).into_iter().flatten() {
                let Some(from) = start.checked_sub(*before) else {
                    continue;
                };
                let to = from + length;
                let Some(name) = text.get(from..to).and_then(|written| self.written.get(written)) else {
                    continue;
                };
                let around = (text[..from].chars().next_back(), text[to..].chars().next());
                if ![around.0, around.1].into_iter().flatten().any(is_of_word) {
                    let known = found.entry(to).or_insert((from, *name));
                    *known = (*known).min((from, *name));
                }
            }
        }
        found.into_values().collect()
    }

    /// The file of that name to which the first of these paths leads that leads to one: from the folder of the text, or from the
    /// root. They may be written as in the address of a page.
    fn at(&self, folder: &str, paths: &[&str], name: usize) -> Option<&'f str> {
        let name = &self.files.get(name)?.0;
        for path in paths {
            let decoded = decoded(path);
            let as_it_stands = Some(*path).filter(|path| *path != decoded);
            for path in [Some(&*decoded), as_it_stands].into_iter().flatten() {
                let from_root = path.starts_with(['/', '\\']);
                let from_here = path.starts_with("./") || path.starts_with("../");
                let here = Some(folder).filter(|_| !from_root);
                let root = Some("").filter(|_| !from_here);
                for from in [here, root].into_iter().flatten() {
                    let file = resolved(from, path).map(|folder| match folder.is_empty() {
                        true => name.to_string(),
                        false => format!("{folder}/{name}"),
                    });
                    if let Some(file) = file.and_then(|file| self.file(&file)) {
                        return Some(file);
                    }
                }
            }
        }
        None
    }

    /// The file at a path, however its characters are composed; of several the one that is written just so.
    fn file(&self, path: &str) -> Option<&'f str> {
        match self.by_path.get(&composed(path))?.as_slice() {
            [file] => Some(*file),
            files => files.iter().copied().find(|file| *file == path),
        }
    }

    /// The files of that name that are nearest below a folder, and how many folders lie between.
    fn nearest(&self, folder: &str, name: usize) -> (Vec<&'f str>, usize) {
        let paths = self.files.get(name).map(|(_, paths)| paths.as_slice());
        let paths = paths.unwrap_or_default();
        let below = match folder.is_empty() {
            true => paths,
            false => {
                let folder = format!("{folder}/");
                let from = paths.partition_point(|path| *path < folder.as_str());
                let count = paths[from..]
                    .iter()
                    .take_while(|path| path.starts_with(&folder))
                    .count();
                &paths[from..from + count]
            }
        };
        let away = |path: &&str| steps(folder, folder_of(path));
        let least = below.iter().map(away).min().unwrap_or_default();
        let nearest = below.iter().filter(|path| away(path) == least);
        (nearest.copied().collect(), least)
    }
}

/// A text with each character in one piece, where there is such a one.
fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// How else a name may stand in a text: in pieces, and as in the address of a page, with more or less of it in hex.
fn ways(name: &str) -> Vec<String> {
    let mut ways = Vec::new();
    for name in [name.to_owned(), name.nfd().collect()] {
        ways.push(name.replace(' ', "%20"));
        for plain in [";,/?:@&=+$-_.!~*'()#", "-_.~!*'()", "-_.~"] {
            let encoded = name
                .chars()
                .map(|c| match c.is_ascii_alphanumeric() || plain.contains(c) {
                    true => c.to_string(),
                    false => c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
                });
            ways.push(encoded.collect());
        }
        ways.push(name);
    }
    ways
}

/// A path with what stands in it as %XX as it is meant; where that is no text, as it stands.
fn decoded(path: &str) -> Cow<'_, str> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| Some((digit(hex[0])?, digit(hex[1])?)));
        match hex.filter(|_| *first == b'%') {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(path), Cow::Owned)
}

/// The value of a digit in hex.
fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|digit| digit.try_into().ok())
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Where the words of a text begin and end.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_of_word)?;
        let length = text[start..].find(|c: char| !is_of_word(c));
        at = length.map_or(text.len(), |length| start + length);
        Some((start, at))
    })
}

pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn parts(folder: &str) -> impl Iterator<Item = &str> {
    folder.split('/').filter(|part| !part.is_empty())
}

/// How many folders lie between two: up from the one, and down to the other.
fn steps(from: &str, to: &str) -> usize {
    let (mut up, mut down) = (parts(from).peekable(), parts(to).peekable());
    while up.peek().is_some() && up.peek() == down.peek() {
        up.next();
        down.next();
    }
    up.count() + down.count()
}

/// What may be a path at the end of what was said, the longest first. In a link it is known where it begins.
fn beginnings(said: &str) -> Vec<&str> {
    let mut from = said.len().saturating_sub(PATH_MAX);
    while !said.is_char_boundary(from) {
        from += 1;
    }
    let near = &said[from..];
    let line = near.rsplit(['\n', '\r']).next().unwrap_or(near);
    for (begins, ends) in [("](", ')'), ("[[", ']')] {
        if let Some((_, link)) = line.rsplit_once(begins)
            && !link.contains(ends)
        {
            return vec![link.trim_start_matches('<')];
        }
    }
    let divides = |c: char| c.is_whitespace() || "()[]{}<>\"'`|=,;“”„‘’«»".contains(c);
    let mut found: Vec<&str> = line
        .rmatch_indices(divides)
        .map(|(at, divider)| &line[at + divider.len()..])
        .take(BEGINNINGS)
        .collect();
    if found.len() < BEGINNINGS {
        found.push(line);
    }
    found.reverse();
    found
}

/// The folder to which a path leads from another, if it stays below the root. Upwards it goes first or not at all: what may be no
/// path is not to lead anywhere.
fn resolved(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = parts(from).collect();
    let mut down = false;
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if down => return None,
            ".." => drop(parts.pop()?),
            part => {
                down = true;
                parts.push(part);
            }
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn thing(path: &str, text: &str) -> Thing {
        Thing {
            path: path.to_owned(),
            called: None,
            title: String::new(),
            text: Zeroizing::new(text.to_owned()),
            at: None,
            client: None,
            case: None,
            label: None,
            label_left: false,
            template: None,
            fields: Vec::new(),
            emptied: Vec::new(),
            digest: String::new(),
            beside: Vec::new(),
        }
    }

    /// The files that one text at a path names, of some.
    fn named<'f>(path: &str, text: &str, files: &[&'f str]) -> Vec<&'f str> {
        let claims = claimed(files.iter().copied(), &[thing(path, text)]);
        let mut named: Vec<&str> = claims
            .into_iter()
            .filter(|(_, claim)| matches!(claim, Claim::Text { .. }))
            .map(|(file, _)| file)
            .collect();
        named.sort_unstable();
        named
    }

    #[test]
    fn a_name_is_no_part_of_a_longer_one() {
        let files = ["gate north.png", "gate.png", "north.png", "(1) a.b.png", "ø.png", "…"];
        for (text, names) in [
            ("see ![](gate%20north.png).", &["gate north.png"][..]),
            ("see gate north.png, gate north.png", &["gate north.png"]),
            ("see gate north.png and north.png", &["gate north.png", "north.png"]),
            ("[[gate.png]]", &["gate.png"]),
            ("gate.png", &["gate.png"]),
            ("see old-gate.png, gate.pngs, gate_.png, a gate.png2", &[]),
            ("ägate.png, gate.pngø; but ø.png", &["ø.png"]),
            ("what (1) a.b.png is …", &["(1) a.b.png"]),
            ("what x(1) a.b.png is", &[]),
        ] {
            assert_eq!(named("a.md", text, &files), names, "{text}");
        }
    }

    #[test]
    fn a_path_leads_to_that_file_and_to_no_other() {
        let files = [
            "clients/acme/scan.pdf",
            "clients/beta/scan.pdf",
            "beta/scan.pdf",
            "Jo's yard (old)/scan.pdf",
            "1/scan.pdf",
        ];
        for (at, text, names) in [
            ("INDEX.md", "is clients/beta/scan.pdf.", &["clients/beta/scan.pdf"][..]),
            ("clients/a.md", "is beta/scan.pdf", &["clients/beta/scan.pdf"]),
            ("clients/a.md", "is ./acme/scan.pdf", &["clients/acme/scan.pdf"]),
            ("clients/a.md", "is (/beta/scan.pdf)", &["beta/scan.pdf"]),
            ("clients/a.md", "is ../beta/scan.pdf", &["beta/scan.pdf"]),
            ("clients/a.md", "is ../../beta/scan.pdf", &[]),
            ("clients/acme/a.md", "is ../beta/scan.pdf", &["clients/beta/scan.pdf"]),
            (
                "clients/acme/a.md",
                "is clients\\beta\\scan.pdf",
                &["clients/beta/scan.pdf"],
            ),
            ("clients/acme/a.md", "is gamma/scan.pdf", &[]),
            ("a.md", "is xbeta/scan.pdf, ./gamma/beta/scan.pdf", &[]),
            ("a.md", "is https://example.org/beta/scan.pdf", &[]),
            ("a.md", "![](https://example.org/x beta/scan.pdf)", &[]),
            ("a.md", "x Jo's yard (old)/scan.pdf", &["Jo's yard (old)/scan.pdf"]),
            (
                "a.md",
                "![](Jo's%20yard%20(old)/scan.pdf)",
                &["Jo's yard (old)/scan.pdf"],
            ),
            ("a.md", "![](<shelf 1/scan.pdf>) [[shelf 1/scan.pdf]]", &[]),
            ("a.md", "![](x.png) and [[y]] and beta/scan.pdf", &["beta/scan.pdf"]),
            // Two below are as near, and one is nearer.
            ("clients/a.md", "is scan.pdf", &[]),
            ("clients/acme/a.md", "is scan.pdf", &["clients/acme/scan.pdf"]),
            ("clients/acme/x/a.md", "is scan.pdf", &[]),
        ] {
            assert_eq!(named(at, text, &files), names, "{at}: {text}");
        }
        assert_eq!(named("a.md", "x.png", &["b/x.png", "c/d/x.png"]), ["b/x.png"]);
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let (whole, pieces) = ("Caf\u{e9}", "Cafe\u{301}");
        let files = [
            format!("{whole}/plan.png"),
            format!("{pieces}/map.png"),
            format!("x/{pieces} (1).png"),
            "plain(x)/z.png".to_owned(),
            "50%ab/y.png".to_owned(),
            "a%20b/w.png".to_owned(),
        ];
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        for (at, text, names) in [
            ("a.md", "![](Caf%C3%A9/plan.png)", &files[..1]),
            ("a.md", "![](Cafe%cc%81/plan.png)", &files[..1]),
            ("a.md", "see Cafe\u{301}/plan.png", &files[..1]),
            ("a.md", "see Caf\u{e9}/map.png, Caf%C3%A9/map.png", &files[1..2]),
            ("Cafe\u{301}/a.md", "see ../Caf\u{e9}/plan.png, map.png", &files[..2]),
            ("x/a.md", "![](Caf%C3%A9%20(1).png)", &files[2..3]),
            ("a.md", "![](x/Caf%C3%A9%20%281%29.png)", &files[2..3]),
            ("x/a.md", "see Caf\u{e9} (1).png", &files[2..3]),
            ("x/a.md", "see Cafe\u{301} (1).png", &files[2..3]),
            ("a.md", "![](plain%28x%29/z.png)", &files[3..4]),
            ("b/a.md", "![](%2e%2e/plain%28x%29/z.png)", &files[3..4]),
            ("a.md", "![](%2e%2e/plain%28x%29/z.png)", &[]),
            // What is no text, and what is called so.
            ("a.md", "see 50%ab/y.png", &files[4..5]),
            ("a.md", "see a%20b/w.png", &files[5..]),
        ] {
            let mut names = names.to_vec();
            names.sort_unstable();
            assert_eq!(named(at, text, &files), names, "{at}: {text}");
        }
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%4%41%+1%C3"), "%4%41%+1%C3");
        assert_eq!(decoded("%4%41%+1"), "%4A%+1");
        // Two that differ in nothing else: who writes it as one of them means that one.
        let twins = ["\u{e9}/x.png", "e\u{301}/x.png"];
        for twin in twins {
            assert_eq!(named("a.md", &format!("see ./{twin}"), &twins), [twin]);
        }
    }

    #[test]
    fn many_texts_may_name_what_many_files_are_called() {
        let many = 3000;
        let texts = |text: &str| -> Vec<Thing> { (0..many).map(|n| thing(&format!("{n}.md"), text)).collect() };
        let files: Vec<String> = (0..many).map(|n| format!("d{n}/image.png")).collect();
        let paths = || files.iter().map(String::as_str);
        let claims = claimed(paths(), &texts("see image.png"));
        assert!(claims.len() == many && claims.values().all(|claim| *claim == Claim::Unclear));
        // And one that names one of them often, or all of them.
        let often = [thing("a.md", &"![](d7/image.png) and d7/image.png\n".repeat(many))];
        assert_eq!(claimed(paths(), &often).len(), 1);
        let all = [thing("a.md", &files.join("\n"))];
        assert_eq!(claimed(paths(), &all).len(), many);
    }

    #[test]
    fn the_nearest_text_has_a_file_and_none_of_two() {
        let whose = |things: &[(&str, &str)], file: &'static str| {
            let things: Vec<Thing> = things.iter().map(|(path, text)| thing(path, text)).collect();
            claimed(std::iter::once(file), &things).get(file).copied()
        };
        let of = |claim: Option<Claim>| match claim {
            Some(Claim::Text { thing, .. }) => Some(thing),
            _ => None,
        };
        let top = ("a.md", "see y/p.png");
        assert_eq!(of(whose(&[top, ("y/b.md", "p.png")], "y/p.png")), Some(1));
        assert_eq!(of(whose(&[top, ("b.md", "p.png")], "y/p.png")), Some(0));
        assert_eq!(of(whose(&[("b.md", "p.png"), top], "y/p.png")), Some(1));
        for near in ["p.png", "./p.png", "y/p.png p.png"] {
            let both = [("y/b.md", "p.png"), ("y/c.md", near), top];
            assert!(matches!(whose(&both, "y/p.png"), Some(Claim::Several { .. })), "{near}");
        }
        assert_eq!(whose(&[("x/b.md", "p.png")], "y/p.png"), None);
    }

    #[test]
    fn each_of_many_files_goes_to_its_own_text() {
        let texts = 2000;
        let things: Vec<Thing> = (0..texts)
            .map(|n| thing(&format!("{n}.md"), &format!("The lamp is out. ![](p {n}.png)")))
            .collect();
        let files: Vec<String> = (0..texts).map(|n| format!("p {n}.png")).collect();
        let claims = claimed(files.iter().map(String::as_str), &things);
        for (n, file) in files.iter().enumerate() {
            assert_eq!(claims.get(file.as_str()), Some(&Claim::of(n)), "{file}");
        }
    }
}
