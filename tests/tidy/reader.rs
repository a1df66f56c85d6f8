//! Reads Rust files as tokens and notes every path in them: comments, strings and documentation
//! fall away, the bodies of macros do not.

use crate::Rule;
use crate::tokens::{Kind, Token, tokens};
use std::fs;
use std::path::Path;

/// Macros of the prelude that print; they are paths without a `::`.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// What was read from one file.
pub(crate) struct Source {
    /// Its path below `src`.
    pub(crate) file: String,
    pub(crate) lines: usize,
    /// The module of the file; `[]` for `lib.rs`, `["main"]` for `main.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) mentions: Vec<Mention>,
    /// Faults that need no path to be resolved: line, rule, words.
    pub(crate) words: Vec<(usize, Rule, String)>,
    /// Modules in files of their own that are compiled for tests only.
    pub(crate) test_files: Vec<Vec<String>>,
}

/// Names of what makes ciphertext readable.
const OPENING: &[&str] = &[
    "open_text",
    "open_metadata",
    "unwrap_key",
    "open_sealed",
    "open_kept",
    "xopen",
    "open_chunk",
    "hand_over",
];

/// The rooms that may use them.
const DOORKEEPERS: &[&str] = &["crypto", "envelope", "chain", "session", "ledger", "gate"];

/// A path as it was written, with what is needed to resolve it.
pub(crate) struct Mention {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// The module it was written in.
    pub(crate) module: Vec<String>,
    /// Inside `#[cfg(test)]` or `#[test]`.
    pub(crate) test: bool,
    /// How it was imported; `None` for a path in code.
    pub(crate) import: Option<Import>,
}

/// What a branch of a `use` brings.
pub(crate) struct Import {
    /// The name it has from here on; `None` for `*` and `_`.
    pub(crate) name: Option<String>,
    /// It ended in `*`.
    pub(crate) glob: bool,
    /// `pub` or `pub(crate)`: other rooms may take it from here.
    pub(crate) exported: bool,
}

impl Source {
    /// Reads the file at `path`, which lies under `src`.
    pub(crate) fn read(src: &Path, path: &Path) -> Self {
        let relative = path.strip_prefix(src).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let mut module: Vec<String> = relative
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if ["mod", "lib"].contains(&module.last().unwrap().as_str()) {
            module.pop();
        }
        let source = Self {
            file: relative.to_string_lossy().into_owned(),
            lines: text.lines().count(),
            module: module.clone(),
            mentions: Vec::new(),
            words: Vec::new(),
            test_files: Vec::new(),
        };
        let mut reader = Reader {
            source,
            module,
            test: false,
            attribute: false,
            line: None,
        };
        reader.read(&tokens(&text));
        reader.source
    }
}

/// Walks the tokens of a file.
struct Reader {
    source: Source,
    /// The module that the tokens stand in.
    module: Vec<String>,
    /// Inside something that is compiled for tests only.
    test: bool,
    /// Inside an attribute, where strings may hold paths (`with = "crate::…"`).
    attribute: bool,
    /// The line to report, when the tokens come from a string.
    line: Option<usize>,
}

impl Reader {
    fn read(&mut self, tokens: &[Token]) {
        let mut at = 0;
        while at < tokens.len() {
            at = self.step(tokens, at);
        }
    }

    /// Reads what starts at `at`; gives the place after it.
    fn step(&mut self, tokens: &[Token], at: usize) -> usize {
        if let Some((inner, parts)) = attribute(tokens, at) {
            return self.attribute(tokens, at, inner, parts);
        }
        match &tokens[at].kind {
            Kind::Group { tokens, .. } => self.read(tokens),
            Kind::Literal(inside) if self.attribute => self.string(inside, tokens[at].line),
            Kind::Literal(_) => {}
            Kind::Punct { .. } if colons(tokens, at) => {
                if !continues(tokens, at) && is_word(tokens.get(at + 2)) {
                    return self.path(tokens, at + 2);
                }
                return at + 2;
            }
            Kind::Punct { .. } => {}
            Kind::Word(_) => return self.word(tokens, at),
        }
        at + 1
    }

    fn word(&mut self, tokens: &[Token], at: usize) -> usize {
        let follows = |symbol: char| is_punct(tokens.get(at + 1), symbol);
        match tokens[at].word() {
            "mod" if is_word(tokens.get(at + 1)) => {
                self.module.push(tokens[at + 1].word().to_owned());
                match tokens.get(at + 2).and_then(|body| body.group('{')) {
                    Some(body) => self.read(body),
                    _ if self.test => self.source.test_files.push(self.module.clone()),
                    _ => {}
                }
                self.module.pop();
                return at + 3;
            }
            // Not the `use<'a>` of a return type.
            "use" if !follows('<') => return self.import(tokens, at),
            "extern" if tokens.get(at + 1).is_some_and(|next| next.word() == "crate") => {
                self.wrong(&tokens[at], Rule::Hidden, "`extern crate`; write the path");
            }
            "include" if follows('!') => self.wrong(&tokens[at], Rule::Hidden, "`include!`; make it a module"),
            "unsafe" => self.wrong(&tokens[at], Rule::Unsafe, "`unsafe` is not for this house"),
            "todo" | "unimplemented" if follows('!') => self.wrong(&tokens[at], Rule::Unfinished, "left open"),
            printing if follows('!') && PRINTING.contains(&printing) => {
                self.mention(vec!["std".to_owned(), printing.to_owned()], &tokens[at], None);
            }
            _ if colons(tokens, at + 1) && !(at >= 2 && colons(tokens, at - 2)) => return self.path(tokens, at),
            name => self.door(name, &tokens[at]),
        }
        at + 1
    }

    /// A path in code: `a::b::c`, up to where generics or anything else begins.
    fn path(&mut self, tokens: &[Token], start: usize) -> usize {
        let mut segments = vec![tokens[start].word().to_owned()];
        let mut at = start + 1;
        while colons(tokens, at) {
            match tokens.get(at + 2) {
                next if is_word(next) => segments.push(tokens[at + 2].word().to_owned()),
                next if is_punct(next, '$') => segments.push("$".to_owned()),
                _ => break,
            }
            at += 3;
        }
        self.mention(segments, &tokens[start], None);
        at
    }

    /// `use …;`
    fn import(&mut self, tokens: &[Token], start: usize) -> usize {
        let end = (start..tokens.len())
            .find(|&at| is_punct(tokens.get(at), ';'))
            .unwrap_or(tokens.len());
        let exported = start.checked_sub(1).is_some_and(|before| {
            let scope = tokens[before].group('(');
            tokens[before].word() == "pub" || scope.is_some_and(|scope| scope.iter().all(|part| part.word() == "crate"))
        });
        self.import_tree(&tokens[start + 1..end], &[], exported);
        end + 1
    }

    /// The branches of a `use`, after the path that leads to them.
    fn import_tree(&mut self, tokens: &[Token], prefix: &[String], exported: bool) {
        for branch in tokens.split(|token| is_punct(Some(token), ',')) {
            let Some(last) = branch.last() else { continue };
            let mut path = prefix.to_vec();
            let mut name = None;
            let mut renamed = false;
            for (at, token) in branch.iter().enumerate() {
                match &token.kind {
                    Kind::Word(word) if word == "as" => {
                        renamed = true;
                        name = branch
                            .get(at + 1)
                            .map(|name| name.word().to_owned())
                            .filter(|name| name != "_");
                        break;
                    }
                    // `a::{self}` is `a`; a leading `self` is the module.
                    Kind::Word(word) if word == "self" && !path.is_empty() => {}
                    Kind::Word(word) => path.push(word.clone()),
                    Kind::Punct { symbol: '$', .. } if at > 0 => path.push("$".to_owned()),
                    _ => {}
                }
            }
            let glob = is_punct(Some(last), '*');
            if let Some(inner) = last.group('{') {
                self.import_tree(inner, &path, exported);
            } else if !path.is_empty() {
                if !renamed && !glob {
                    name = path.last().cloned();
                }
                self.mention(path, last, Some(Import { name, glob, exported }));
            }
        }
    }

    /// An attribute: strings in it may be paths, and `#[cfg(test)]` covers the item that follows.
    fn attribute(&mut self, tokens: &[Token], at: usize, inner: bool, parts: &[Token]) -> usize {
        let end = at + if inner { 3 } else { 2 };
        match parts.first().map_or("", Token::word) {
            "doc" => return end,
            "path" => self.wrong(
                &tokens[at],
                Rule::Hidden,
                "`#[path]`; a module lies where its name says",
            ),
            _ => {}
        }
        self.attribute = true;
        self.read(parts);
        self.attribute = false;
        if !for_tests(parts) {
            return end;
        }
        let until = if inner { tokens.len() } else { item_end(tokens, end) };
        let was_test = std::mem::replace(&mut self.test, true);
        let mut next = end;
        while next < until {
            next = self.step(tokens, next);
        }
        self.test = was_test;
        next
    }

    /// A string in an attribute that is a path, as serde's `with` takes one.
    fn string(&mut self, path: &str, line: usize) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_:<>".contains(c);
        if path.contains("::") && path.chars().all(plain) {
            let outer = self.line.replace(line);
            self.read(&tokens(path));
            self.line = outer;
        }
    }

    fn mention(&mut self, segments: Vec<String>, token: &Token, import: Option<Import>) {
        let last = segments.last().cloned().unwrap_or_default();
        self.door(&last, token);
        self.source.mentions.push(Mention {
            segments,
            line: self.line.unwrap_or(token.line),
            module: self.module.clone(),
            test: self.test,
            import,
        });
    }

    /// What makes ciphertext readable is called by the rooms that keep the door, and by nobody else.
    fn door(&mut self, name: &str, token: &Token) {
        let room = self.module.first().map(String::as_str).unwrap_or_default();
        if OPENING.contains(&name) && !DOORKEEPERS.contains(&room) && !self.test {
            self.wrong(token, Rule::Door, "it opens what is sealed; ask the gate");
        }
    }

    fn wrong(&mut self, token: &Token, rule: Rule, words: &str) {
        self.source.words.push((token.line, rule, words.to_owned()));
    }
}

/// `#[…]` or `#![…]` at `at`: whether it is the inner kind, and what stands in its brackets.
fn attribute(tokens: &[Token], at: usize) -> Option<(bool, &[Token])> {
    if !is_punct(tokens.get(at), '#') {
        return None;
    }
    let inner = is_punct(tokens.get(at + 1), '!');
    let parts = tokens.get(at + if inner { 2 } else { 1 })?.group('[')?;
    Some((inner, parts))
}

/// Whether the inside of an attribute is `test`, `cfg(test)` or `cfg(all(…, test, …))`.
fn for_tests(parts: &[Token]) -> bool {
    let is_test = |part: &[Token]| matches!(part, [word] if word.word() == "test");
    match parts {
        [cfg, predicate] if cfg.word() == "cfg" => match predicate.group('(').unwrap_or_default() {
            [all, parts] if all.word() == "all" => {
                let mut parts = parts.group('(').unwrap_or_default().split(|token| token.is_punct(','));
                parts.any(is_test)
            }
            predicate => is_test(predicate),
        },
        parts => is_test(parts),
    }
}

/// The place after the item, statement, field or variant that starts at `start`.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some((inner, _)) = attribute(tokens, at) {
        at += if inner { 3 } else { 2 };
    }
    // `pub`, a scope, then what it is.
    let head = &tokens[at..tokens.len().min(at + 3)];
    let is = |words: &[&str]| head.iter().any(|token| words.contains(&token.word()));
    // Commas stand between the parameters of these, and after a field, a variant or an arm.
    let is_item = is(&[
        "mod", "fn", "use", "impl", "struct", "enum", "const", "static", "type", "trait", "let", "async", "extern",
    ]);
    while at < tokens.len() {
        let token = &tokens[at];
        at += 1;
        if token.group('{').is_some() || token.is_punct(';') || (!is_item && token.is_punct(',')) {
            break;
        }
    }
    at
}

fn is_punct(token: Option<&Token>, symbol: char) -> bool {
    token.is_some_and(|token| token.is_punct(symbol))
}

fn is_word(token: Option<&Token>) -> bool {
    token.is_some_and(|token| !token.word().is_empty())
}

/// Whether `::` stands at `at`.
fn colons(tokens: &[Token], at: usize) -> bool {
    let first = tokens.get(at).map(|token| &token.kind);
    matches!(
        first,
        Some(Kind::Punct {
            symbol: ':',
            joint: true
        })
    ) && is_punct(tokens.get(at + 1), ':')
}

/// Whether the `::` at `at` goes on from a name or from generics, rather than beginning a path.
fn continues(tokens: &[Token], at: usize) -> bool {
    let keywords = [
        "pub", "return", "as", "in", "if", "match", "while", "else", "mut", "dyn", "impl", "for", "where", "move",
        "break", "ref",
    ];
    let Some(before) = at.checked_sub(1) else { return false };
    if tokens[before].is_punct('>') {
        // Generics end in `>`; arrows do too.
        let arrow = |shaft: &Token| shaft.is_punct('-') || shaft.is_punct('=');
        return !before.checked_sub(1).is_some_and(|before| arrow(&tokens[before]));
    }
    is_word(tokens.get(before)) && !keywords.contains(&tokens[before].word())
}
