//! Puts thousands of small faults into a copy of the library, each behind a switch, so that one build tries them all:
//! `cargo run -- ROOT ROOM…` rewrites `ROOT/src/ROOM/…` and writes `ROOT/mutants.tsv`, one line for each fault: its number,
//! file, line, function and what was done. `../mutants.py` runs the tests of the copy, once it
//! is built, against each.
//!
//! Which fault is in force says `STRONGROOM_MUTANT`; with `STRONGROOM_REACHED=FILE` none is, and the numbers of those that a
//! test comes by are added to that file.

use quote::quote;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use syn::visit_mut::{VisitMut, visit_expr_mut, visit_impl_item_fn_mut, visit_item_fn_mut, visit_item_mod_mut};
use syn::{Attribute, BinOp, Block, Expr, GenericArgument, PathArguments, ReturnType, Type, parse_quote};

const SWITCH: &str = r#"
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod mutants {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    static REACHED: [AtomicBool; 1 << 15] = [const { AtomicBool::new(false) }; 1 << 15];
    static CHOSEN: std::sync::LazyLock<(usize, Option<std::sync::Mutex<std::fs::File>>)> = std::sync::LazyLock::new(|| {
        let chosen = std::env::var("STRONGROOM_MUTANT").ok().and_then(|text| text.parse().ok());
        let reached = std::env::var_os("STRONGROOM_REACHED").map(|path| {
            std::sync::Mutex::new(std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap())
        });
        (chosen.unwrap_or(0), reached)
    });
    pub fn is(number: usize) -> bool {
        let (chosen, reached) = &*CHOSEN;
        if let Some(file) = reached {
            if !REACHED[number].swap(true, Relaxed) {
                let _ = file.lock().unwrap().write_all(format!("{number}\n").as_bytes());
            }
        }
        *chosen == number
    }
}
"#;

struct Faults {
    file: String,
    function: String,
    next: usize,
    list: String,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = quote!(#attribute).to_string();
        text.contains("cfg (test") || text.contains("fuzzing") || text == "# [test]"
    })
}

/// Whether an expression binds names for what stands beside it.
fn binds(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        Expr::Paren(inner) => binds(&inner.expr),
        _ => false,
    }
}

fn others(operator: &BinOp) -> Vec<BinOp> {
    match operator {
        BinOp::Eq(_) => vec![parse_quote!(!=)],
        BinOp::Ne(_) => vec![parse_quote!(==)],
        BinOp::Lt(_) => vec![parse_quote!(<=), parse_quote!(>)],
        BinOp::Le(_) => vec![parse_quote!(<), parse_quote!(>)],
        BinOp::Gt(_) => vec![parse_quote!(>=), parse_quote!(<)],
        BinOp::Ge(_) => vec![parse_quote!(>), parse_quote!(<)],
        BinOp::And(_) => vec![parse_quote!(||)],
        BinOp::Or(_) => vec![parse_quote!(&&)],
        _ => Vec::new(),
    }
}

/// What a function may give instead of what it works out.
fn answers(output: &ReturnType) -> Vec<Expr> {
    let ReturnType::Type(_, of) = output else {
        return vec![parse_quote!(())];
    };
    values(of)
}

fn values(of: &Type) -> Vec<Expr> {
    match of {
        Type::Tuple(tuple) if tuple.elems.is_empty() => vec![parse_quote!(())],
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Vec::new();
            };
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(inner) => inner.args.first(),
                _ => None,
            };
            match last.ident.to_string().as_str() {
                "bool" => vec![parse_quote!(true), parse_quote!(false)],
                "u8" | "u16" | "u32" | "u64" | "usize" | "i64" | "i32" => vec![parse_quote!(0), parse_quote!(1)],
                "String" => vec![parse_quote!(String::new())],
                "Vec" => vec![parse_quote!(Vec::new())],
                "BTreeMap" | "BTreeSet" => vec![parse_quote!(Default::default())],
                "Option" => vec![parse_quote!(None)],
                "Result" => match inner {
                    Some(GenericArgument::Type(ok)) => {
                        let ok = values(ok);
                        ok.into_iter().map(|value| parse_quote!(Ok(#value))).collect()
                    }
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

impl Faults {
    fn number(&mut self, line: usize, what: &str) -> usize {
        self.next += 1;
        let Self { file, function, .. } = self;
        let _ = writeln!(self.list, "{}\t{file}\t{line}\t{function}\t{what}", self.next);
        self.next
    }

    fn body(&mut self, line: usize, output: &ReturnType, block: &mut Block) {
        for answer in answers(output).into_iter().rev() {
            let what = quote!(#answer).to_string();
            let number = self.number(line, &format!("gives {what}"));
            let early = parse_quote!(if crate::mutants::is(#number) { return #answer; });
            block.stmts.insert(0, early);
        }
    }
}

impl VisitMut for Faults {
    fn visit_item_mod_mut(&mut self, item: &mut syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit_item_mod_mut(self, item);
        }
    }

    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut syn::ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_item_enum_mut(&mut self, _: &mut syn::ItemEnum) {}

    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        if is_test(&item.attrs) || item.sig.constness.is_some() {
            return;
        }
        let outer = std::mem::replace(&mut self.function, item.sig.ident.to_string());
        visit_item_fn_mut(self, item);
        self.body(item.sig.ident.span().start().line, &item.sig.output, &mut item.block);
        self.function = outer;
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if is_test(&item.attrs) || item.sig.constness.is_some() {
            return;
        }
        let outer = std::mem::replace(&mut self.function, item.sig.ident.to_string());
        visit_impl_item_fn_mut(self, item);
        self.body(item.sig.ident.span().start().line, &item.sig.output, &mut item.block);
        self.function = outer;
    }

    fn visit_expr_const_mut(&mut self, _: &mut syn::ExprConst) {}

    fn visit_expr_repeat_mut(&mut self, _: &mut syn::ExprRepeat) {}

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_expr_mut(self, expression);
        match expression {
            Expr::Binary(binary) if !binds(&binary.left) && !binds(&binary.right) => {
                let line = syn::spanned::Spanned::span(&binary.op).start().line;
                let mut all: Expr = Expr::Binary(binary.clone());
                for other in others(&binary.op) {
                    let (left, right, old) = (&binary.left, &binary.right, &binary.op);
                    let what = format!("{} for {}", quote!(#other), quote!(#old));
                    let number = self.number(line, &what);
                    all = parse_quote!((if crate::mutants::is(#number) { (#left) #other (#right) } else { #all }));
                }
                *expression = all;
            }
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
                let line = syn::spanned::Spanned::span(&unary.op).start().line;
                let inner = &unary.expr;
                let number = self.number(line, "without its not");
                *expression = parse_quote!((if crate::mutants::is(#number) { !!#inner } else { !#inner }));
            }
            _ => {}
        }
    }
}

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a room of the library")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            files(&path, all);
        } else if name.ends_with(".rs") && !["tests.rs", "vectors.rs", "fuzzing.rs"].contains(&name.as_str()) {
            all.push(path);
        }
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let root = PathBuf::from(words.next().expect("ROOT"));
    let mut faults = Faults {
        file: String::new(),
        function: String::new(),
        next: 0,
        list: String::new(),
    };
    for room in words {
        let mut paths = Vec::new();
        files(&root.join("src").join(room), &mut paths);
        for path in paths {
            let text = std::fs::read_to_string(&path).expect("a file is text");
            let mut parsed = syn::parse_file(&text).expect("a file is Rust");
            let name = path.strip_prefix(&root).expect("below the root");
            faults.file = name.display().to_string();
            faults.visit_file_mut(&mut parsed);
            std::fs::write(&path, quote!(#parsed).to_string()).expect("a file is written");
        }
    }
    let library = root.join("src/lib.rs");
    let text = std::fs::read_to_string(&library).expect("the library");
    // Each warning about what was rewritten would show the file, which is one line.
    let text = format!("#![allow(warnings)]\n{text}{SWITCH}");
    std::fs::write(library, text).expect("the library is written");
    std::fs::write(root.join("mutants.tsv"), &faults.list).expect("the list is written");
    println!("{} faults", faults.next);
}
