//! `concern …`: to those who handle concerns, with a name or without one.

use super::args::EditorArgs;
use super::out;
use super::terminal::{self, Seen, Terminal};
use super::words::prompted;
use super::writing::{editor, source_of_words, typed_or_read};
use crate::app::shared::{ConcernKey, ReplyCode, Time};
use crate::app::{Context, Error, Kind, Raising, TextFrom};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How old a key may be before its writer is told that it may no longer be right, in days.
const OLD_KEY: i64 = 180;
const DAY: i64 = 86_400;

#[derive(Subcommand)]
pub(super) enum ConcernCommand {
    /// Write the public key of this vault's concerns to a file that anybody may have; or check one
    #[command(
        after_help = "Examples:\n  strongroom concern key --out concerns.key\n  strongroom concern key --check concerns.key      is what hangs there still right, and ours?\n\nWho handles concerns stands in the policies (`handlers` in templates/concern.toml). Put the file where everybody finds it, and its eight words somewhere else, such as a notice on a wall: whoever writes compares them. Make it again when handlers or their computers change; --check says so."
    )]
    Key(KeyArgs),
    /// Raise a concern: openly or in confidence as a member, or without a name into a sealed file
    #[command(
        after_help = "Examples:\n  strongroom concern write --in-confidence --not jon\n  strongroom concern write --openly --file concern.txt\n  strongroom concern write --key concerns.key --not jon --out concern.sealed\n  strongroom concern write --key concerns.key --again --out more.sealed\n\nIt goes to those who handle concerns and to nobody else, whoever leads the vault; --not leaves out whom it is about, or whoever is close to them. With --key neither vault nor identity is needed or looked at: the file can be handed over by any channel, and a code of twelve words is shown once, for reading answers (`concern read`) and for writing again (--again). What that hides and what it does not is said before you write. The text is never an argument."
    )]
    Write(WriteArgs),
    /// Read an answer to what you wrote without a name, with your reply code; needs no vault
    #[command(
        after_help = "Example:\n  strongroom concern read answer.sealed\n\nThe code is asked for, or read from standard input where that is no terminal."
    )]
    Read {
        /// The file with the answer; `-` for standard input, at a terminal
        file: PathBuf,
    },
    /// Receive a sealed concern: it is recorded for those it was sealed to; prints its id
    #[command(
        after_help = "Example:\n  strongroom concern receive concern.sealed\n\nThat it is opened is in the log first. It becomes a note of the template `concern`, for those it was sealed to who still handle concerns. What the same person writes again goes to the same note, which needs a purpose and a reason as reading it does. A file that was received is not taken again."
    )]
    Receive {
        /// The file, or a letter that holds it; `-` for standard input
        file: PathBuf,
    },
    /// Answer a concern: acknowledges it the first time
    #[command(
        after_help = "Examples:\n  strongroom concern reply 3f2a9c --out answer.sealed --purpose duty --why 'acknowledge it'\n  strongroom concern reply 3f2a9c --feedback --out answer.sealed --purpose duty --why 'what came of it'\n\nThe answer stands in the note. A member who raised it reads it there; for somebody without a name it is also sealed into a file that their code opens. That file may lie where everybody can fetch it."
    )]
    Reply(ReplyArgs),
}

#[derive(ClapArgs)]
#[group(required = true, multiple = false)]
pub(super) struct KeyArgs {
    /// The new file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Hold this file against the vault instead
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(super) struct WriteArgs {
    /// Without a name: seal it with this key for concerns
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with_all = ["to", "openly", "in_confidence", "take_up", "discard"])]
    pub(super) key: Option<PathBuf>,
    /// Without a name: the new file
    #[arg(long, value_name = "FILE", requires = "key")]
    out: Option<PathBuf>,
    /// Without a name: go on from what you wrote before, with the code that it has
    #[arg(long, requires = "key")]
    again: bool,
    /// As a member: those who handle it may say that it is yours
    #[arg(long, conflicts_with = "in_confidence")]
    openly: bool,
    /// As a member: those who handle it know that it is yours, and keep it to themselves
    #[arg(long)]
    in_confidence: bool,
    /// Only to these of those who handle concerns
    #[arg(long, value_name = "HANDLE")]
    to: Vec<String>,
    /// Never to these: whom it is about, or who is close to them
    #[arg(long = "not", value_name = "HANDLE")]
    left_out: Vec<String>,
    /// Read the text from a file, `-` for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    editor: EditorArgs,
}

#[derive(ClapArgs)]
pub(super) struct ReplyArgs {
    /// The concern's id, or the beginning of it
    id: String,
    /// For somebody without a name: the new file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// It says what came of the concern
    #[arg(long)]
    feedback: bool,
    /// Read the text from a file, `-` for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    editor: EditorArgs,
}

/// `concern …` in a vault.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &ConcernCommand) -> Result<u8, Error> {
    match command {
        ConcernCommand::Key(args) => match (&args.out, &args.check) {
            (Some(out), _) => make_key(context, seen, out),
            (None, Some(file)) => check_key(context, seen, file),
            (None, None) => Ok(0),
        },
        ConcernCommand::Write(args) if args.key.is_none() => raise(context, seen, args),
        ConcernCommand::Write(args) => write(seen, args, context.now()),
        ConcernCommand::Read { file } => read(seen, file),
        ConcernCommand::Receive { file } => receive(context, seen, file),
        ConcernCommand::Reply(args) => reply(context, seen, args),
    }
}

fn make_key(context: &Context<'_>, seen: &Seen<'_>, out: &Path) -> Result<u8, Error> {
    let made = crate::app::make_concern_key(context, out)?;
    let words = made.fingerprint.to_string();
    if seen.json {
        seen.json(&json!({ "words": words, "handlers": made.handlers, "entry": made.entry.to_string() }))?;
        return Ok(0);
    }
    seen.remark(&format!("concerns go to {}", made.handlers.join(", ")));
    seen.remark("give the file to everybody, and post its words where nobody can change both:");
    seen.result(&format!("{words}\n"))?;
    Ok(0)
}

fn check_key(context: &Context<'_>, seen: &Seen<'_>, file: &Path) -> Result<u8, Error> {
    let checked = crate::app::check_concern_key(context, file)?;
    let words = checked.fingerprint.to_string();
    if seen.json {
        seen.json(&json!({
            "words": words,
            "by": checked.by,
            "changed": checked.changed,
            "entry": checked.entry.to_string(),
        }))?;
    } else {
        seen.remark(&format!("{} made it; its words:", checked.by));
        seen.result(&format!("{words}\n"))?;
        match checked.changed.is_empty() {
            true => seen.remark("it says who handles concerns now"),
            false => {
                seen.remark("it is no longer right: put a new one in its place (`strongroom concern key --out FILE`)")
            }
        }
        checked
            .changed
            .iter()
            .for_each(|change| seen.remark(&format!("  {change}")));
    }
    Ok(u8::from(!checked.changed.is_empty()))
}

fn raise(context: &Context<'_>, seen: &Seen<'_>, args: &WriteArgs) -> Result<u8, Error> {
    if args.editor.discard {
        return super::writing::discarded(seen, crate::app::discard(context, None)?);
    }
    let openly = match (args.openly, args.in_confidence) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        // What was kept says it.
        _ if args.editor.take_up => None,
        _ => {
            return Err(
                Error::new(Kind::Usage, "say whether this is --openly or --in-confidence")
                    .hint("without a name it goes into a sealed file: --key FILE --out FILE"),
            );
        }
    };
    let raising = Raising {
        to: args.to.clone(),
        left_out: args.left_out.clone(),
        openly,
    };
    seen.remark(match openly {
        Some(true) => "those who handle it see that it is yours, and may say so",
        Some(false) => "those who handle it see that it is yours, and are to keep that to themselves",
        None => "those who handle it see that it is yours; it is raised as you began it",
    });
    seen.remark("the log shows everybody that you record something for people by name, not what, nor for whom");
    let from = source_of_words(seen.terminal, args.file.as_deref(), &args.editor)?;
    let raised = crate::app::raise_concern(context, &raising, from)?;
    let id = raised.added.id.to_string();
    if seen.json {
        seen.json(&json!({
            "id": id,
            "revision": raised.added.revision,
            "label": raised.added.label,
            "entry": raised.added.entry.to_string(),
            "to": raised.to,
        }))?;
    } else {
        let told = seen.result(&format!("{id}\n"));
        told.map_err(|error| error.hint(format!("the concern is recorded all the same: {id}")))?;
        seen.remark(&format!(
            "recorded for {} and you; answers come in this note",
            raised.to.join(", ")
        ));
    }
    Ok(0)
}

/// `concern write --key`: needs no vault, and looks at none.
pub(super) fn write(seen: &Seen<'_>, args: &WriteArgs, now: Time) -> Result<u8, Error> {
    let (Some(key), Some(out)) = (&args.key, &args.out) else {
        return Err(Error::new(Kind::Usage, "--key and --out belong together"));
    };
    let terminal = seen.terminal;
    crate::app::forget_left_concerns(terminal);
    let key = crate::app::load_concern_key(terminal, key)?;
    say_what_is_hidden(terminal, &key, &args.left_out, now)?;
    if terminal.answers() && !seen.yes {
        let answer = prompted(
            terminal,
            "are these the words that you know from elsewhere? type yes",
            Some("-"),
        )?;
        if answer.as_deref().map(str::trim) != Some("yes") {
            return Err(Error::new(Kind::Failed, "nothing was written")
                .hint("without other words to compare with, ask somebody whom you trust for them, or --yes goes on"));
        }
    }
    let code = match args.again {
        true => ask_code(terminal, args.file.is_some())?,
        false => crate::app::new_reply_code()?,
    };
    let text = || written(terminal, args);
    crate::app::write_concern(terminal, &key, &args.left_out, &code, text, out)?;
    if args.again {
        terminal.remark("sealed; those who receive it see that it goes on from what you wrote before");
        return Ok(0);
    }
    let words = code.to_words();
    if seen.json {
        return seen.json(&json!({ "code": words.as_str() })).map(|()| 0);
    }
    terminal.remark(
        "sealed. Your reply code is shown this once and kept nowhere: write it down where nobody looks for it. With it\n\
         `strongroom concern read FILE` opens answers, and `strongroom concern write --again` goes on",
    );
    let told = seen.result(&format!("{}\n", words.as_str()));
    told.map_err(|error| error.hint("the sealed file is there, and its answers open for nobody: write it again"))?;
    Ok(0)
}

/// Says what leaving out one's name covers, before anything is written; also to whoever wants to hear nothing else.
fn say_what_is_hidden(terminal: &dyn Terminal, key: &ConcernKey, left_out: &[String], now: Time) -> Result<(), Error> {
    let to: Vec<&str> = crate::app::whom_it_goes_to(key, left_out)?
        .iter()
        .map(|handler| handler.handle.as_str())
        .collect();
    let others = key.handlers.iter().map(|handler| handler.handle.as_str());
    let others: Vec<&str> = others.filter(|handle| !to.contains(handle)).collect();
    let not = match others.is_empty() {
        true => String::new(),
        false => format!("; it does not open for {}", others.join(", ")),
    };
    let say = |text: &str| terminal.remark(text);
    say(&format!("this will open for {}{not}", to.join(", ")));
    say(&format!(
        "the key is of {}; its words: {}",
        &key.time.to_string()[..10],
        key.fingerprint()
    ));
    say("compare them with words that you know from elsewhere: who gives you another key reads what you write");
    let age = (now.unix() - key.time.unix()) / DAY;
    if age > OLD_KEY {
        terminal.warn(&format!(
            "this key is {age} days old: those who handle concerns may be others by now. Look for a newer one"
        ));
    }
    say(
        "what the file hides: it holds no name, no identity, no computer and no time, its length is rounded up, and what \
         you write opens for those above alone; not even they can tell from the file whose it is",
    );
    say("what it does not hide:");
    for line in [
        "how it comes to them: who sends, brings or uploads it is seen by whoever carries it, and when",
        "what only few people can know, and how you write: both can point to you; leave out what need not be said",
        "this computer: who can look at it, its screen, its backups or its list of commands, now or later. Use one that is \
         your own, and remove the key, the file and this program's name from its history",
        "that a court may ask those who handle it what they know",
    ] {
        say(&format!("  - {line}"));
    }
    Ok(())
}

fn ask_code(terminal: &dyn Terminal, rest_is_elsewhere: bool) -> Result<ReplyCode, Error> {
    let typed = match terminal.line("your reply code, twelve words: ") {
        Some(typed) => typed.into_bytes(),
        None if terminal.facts().typed || !rest_is_elsewhere => {
            return Err(
                Error::new(Kind::Usage, "your reply code is needed, and nobody can be asked")
                    .hint("run this at a terminal, or give the text with --file and the code through a pipe"),
            );
        }
        None => terminal::read(terminal, None)?,
    };
    let typed = zeroize::Zeroizing::new(typed);
    crate::app::read_code(std::str::from_utf8(&typed).unwrap_or_default())
}

/// The text of a concern without a name. There is no identity that it could be sealed for if an editor fails.
fn written(terminal: &dyn Terminal, args: &WriteArgs) -> Result<Vec<u8>, Error> {
    let Some(TextFrom::Editor(editing)) = editor(terminal, &args.editor, args.file.is_none())? else {
        return typed_or_read(terminal, args.file.as_deref());
    };
    let text = terminal.edit(b"", b"", editing.insist)?;
    let bytes = text.text().to_vec();
    let problem = text.problem().map(str::to_owned);
    text.wipe()?;
    match problem {
        None => Ok(bytes),
        Some(problem) => Err(Error::new(
            Kind::Failed,
            format!("{problem}; nothing was sealed, and what you wrote is gone"),
        )),
    }
}

/// `concern read`: needs no vault, and looks at none.
pub(super) fn read(seen: &Seen<'_>, file: &Path) -> Result<u8, Error> {
    let page = terminal::read(seen.terminal, Some(file))?;
    let code = ask_code(seen.terminal, file != Path::new("-"))?;
    let answer = crate::app::read_answer(&page, &code)?;
    let day = Time::from_unix(i64::from(answer.day) * DAY).to_string()[..10].to_owned();
    if seen.json {
        let value = json!({ "day": day, "text": answer.text.as_str() });
        return seen.json_of_text(value).map(|()| 0);
    }
    seen.remark(&format!("answered on {day}:"));
    let text = Zeroizing::new(out::plain(&answer.text));
    seen.result(&text)?;
    if !text.ends_with('\n') {
        seen.result("\n")?;
    }
    Ok(0)
}

fn receive(context: &Context<'_>, seen: &Seen<'_>, file: &Path) -> Result<u8, Error> {
    let page = terminal::read(seen.terminal, Some(file))?;
    let received = crate::app::receive_concern(context, &page)?;
    let (id, words) = (received.id.to_string(), received.key.to_string());
    if seen.json {
        seen.json(&json!({
            "id": id,
            "revision": received.revision,
            "label": received.label,
            "entry": received.entry.map(|entry| entry.to_string()),
            "changed": received.entry.is_some(),
            "again": received.goes_on,
            "words": words,
        }))?;
        return Ok(0);
    }
    let told = seen.result(&format!("{id}\n"));
    told.map_err(|error| error.hint(format!("the concern is recorded all the same: {id}")))?;
    if received.entry.is_none() {
        seen.remark("this file was received before; nothing was recorded");
        return Ok(0);
    }
    seen.remark(&match received.goes_on {
        true => format!(
            "it goes on from that one; recorded as revision {}, {}",
            received.revision, received.label
        ),
        false => format!("recorded as {}", received.label),
    });
    seen.remark(&format!("its writer had the key with these words: {words}"));
    seen.remark("if you posted others, somebody gave out a key of their own, and reads what is written with it");
    Ok(0)
}

fn reply(context: &Context<'_>, seen: &Seen<'_>, args: &ReplyArgs) -> Result<u8, Error> {
    if args.editor.discard {
        return super::writing::discarded(seen, crate::app::discard(context, Some(&args.id))?);
    }
    let from = source_of_words(seen.terminal, args.file.as_deref(), &args.editor)?;
    let answered = crate::app::answer_concern(context, &args.id, args.feedback, args.out.as_deref(), from)?;
    let revised = &answered.revised;
    if seen.json {
        seen.json(&json!({
            "id": revised.id.to_string(),
            "revision": revised.revision,
            "label": revised.label,
            "entry": revised.entry.to_string(),
        }))?;
        return Ok(0);
    }
    seen.remark(&format!("recorded as revision {}, {}", revised.revision, revised.label));
    seen.remark(match answered.sealed {
        true => "put the file where whoever wrote can fetch it: their code opens it, and nothing else",
        false => "whoever raised it reads it there",
    });
    Ok(0)
}
