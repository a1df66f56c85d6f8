//! Rust text as tokens with their lines. No dependency does this without being built twice (the
//! lines of `proc-macro2` are a feature that every derive macro would be rebuilt for), and paths
//! need little: names, punctuation, groups, and to skip comments and strings without being fooled.

/// A token and the line it begins on, from 1.
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    /// A name or a keyword; `r#` is dropped.
    Word(String),
    /// One character; joint when the next follows at once and is punctuation too.
    Punct { symbol: char, joint: bool },
    /// What stands between the quotes of a string; nothing for other literals and lifetimes.
    Literal(String),
    /// What stands between brackets, and the opening one.
    Group { open: char, tokens: Vec<Token> },
}

impl Token {
    /// The name; empty when it is none.
    pub(crate) fn word(&self) -> &str {
        match &self.kind {
            Kind::Word(word) => word,
            _ => "",
        }
    }

    pub(crate) fn is_punct(&self, wanted: char) -> bool {
        matches!(self.kind, Kind::Punct { symbol, .. } if symbol == wanted)
    }

    /// The tokens in a group that begins with `open`.
    pub(crate) fn group(&self, wanted: char) -> Option<&[Token]> {
        match &self.kind {
            Kind::Group { open, tokens } if *open == wanted => Some(tokens),
            _ => None,
        }
    }
}

/// Reads a whole text; panics where its brackets or quotes do not close, which rustc would not take either.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        rest: text.chars().collect(),
        at: 0,
        line: 1,
    };
    let tokens = lexer.group(None);
    assert_eq!(lexer.at, lexer.rest.len());
    tokens
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(next == '\n');
        Some(next)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// Tokens up to `close`, which is read too, or to the end.
    fn group(&mut self, close: Option<char>) -> Vec<Token> {
        let mut tokens = Vec::new();
        loop {
            let line = self.line;
            let Some(c) = self.peek(0) else {
                assert!(close.is_none(), "the brackets do not close");
                return tokens;
            };
            let kind = match c {
                _ if c.is_whitespace() => {
                    self.next();
                    continue;
                }
                '/' if self.starts_with("//") => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.next();
                    }
                    continue;
                }
                '/' if self.starts_with("/*") => {
                    self.block_comment();
                    continue;
                }
                '(' | '[' | '{' => {
                    self.next();
                    let close = match c {
                        '(' => ')',
                        '[' => ']',
                        _ => '}',
                    };
                    Kind::Group {
                        open: c,
                        tokens: self.group(Some(close)),
                    }
                }
                ')' | ']' | '}' => {
                    assert_eq!(Some(c), close, "the brackets do not match in line {line}");
                    self.next();
                    return tokens;
                }
                '"' => self.string(),
                '\'' => self.quote(),
                _ if c.is_alphabetic() || c == '_' => self.word(),
                _ if c.is_ascii_digit() => self.number(),
                _ => {
                    self.next();
                    let joint = self.peek(0).is_some_and(|next| next.is_ascii_punctuation());
                    Kind::Punct { symbol: c, joint }
                }
            };
            tokens.push(Token { line, kind });
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            if self.starts_with("/*") {
                depth += 1;
                self.next();
            } else if self.starts_with("*/") {
                depth -= 1;
                self.next();
            }
            assert!(self.next().is_some(), "a comment does not close");
            if depth == 0 {
                return;
            }
        }
    }

    fn word(&mut self) -> Kind {
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.next();
        }
        let hashes = (0..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        match word.as_str() {
            "r" | "br" | "cr" if self.peek(hashes) == Some('"') => self.raw_string(hashes),
            "b" | "c" if self.peek(0) == Some('"') => self.string(),
            "b" if self.peek(0) == Some('\'') => self.quote(),
            "r" if hashes == 1 => {
                self.next();
                self.word()
            }
            _ => Kind::Word(word),
        }
    }

    fn number(&mut self) -> Kind {
        loop {
            match self.peek(0) {
                Some(c) if c.is_alphanumeric() || c == '_' => {}
                // Not the dots of `1..2` and `1.max(2)`.
                Some('.') if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => {}
                _ => return Kind::Literal(String::new()),
            }
            self.next();
        }
    }

    fn string(&mut self) -> Kind {
        let mut inside = String::new();
        self.next();
        loop {
            match self.next().expect("a string does not close") {
                '"' => return Kind::Literal(inside),
                '\\' => self.skip(1),
                c => inside.push(c),
            }
        }
    }

    fn raw_string(&mut self, hashes: usize) -> Kind {
        let end = format!("\"{}", "#".repeat(hashes));
        self.skip(hashes + 1);
        let mut inside = String::new();
        while !self.starts_with(&end) {
            inside.push(self.next().expect("a raw string does not close"));
        }
        self.skip(hashes + 1);
        Kind::Literal(inside)
    }

    /// A character or a lifetime.
    fn quote(&mut self) -> Kind {
        self.next();
        if self.peek(0) == Some('\\') {
            self.next();
            self.next();
            while self.next().expect("a character does not close") != '\'' {}
        } else if self.peek(1) == Some('\'') {
            self.next();
            self.next();
        } else {
            self.word();
        }
        Kind::Literal(String::new())
    }
}
