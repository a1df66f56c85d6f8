//! The yardstick: trains the name tagger, and measures the redaction over folders of data sets.
//!
//! `yardstick train FOLDER… --out MODEL` writes a model; `yardstick measure FOLDER…` prints a table, with the model
//! that ships, with `--model FILE`, or with `--leave-out` a model for each set that has not seen it. `docs/MODEL.md`
//! has the commands that made what ships. `yardstick texts FOLDER…` prints the texts alone for another engine, whose
//! findings `measure --spans NAME=FILE` counts like ours; `beside.sh` does that with Presidio.

mod learn;
mod other;
mod score;
mod sets;

use clap::{Parser, Subcommand};
use score::{Score, percent};
use sets::Set;
use std::io::Write;
use std::path::PathBuf;
use strongroom::brief::tagger::training::Settings;
use strongroom::brief::{Known, Model, Profile, redact, redact_with, shipped};

/// Trains the name tagger and measures the redaction.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains a model.
    Train {
        /// Folders of data sets.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Where the model goes.
        #[arg(long)]
        out: PathBuf,
        /// A set that is not trained on.
        #[arg(long)]
        without: Vec<String>,
        #[command(flatten)]
        tuning: Tuning,
    },
    /// Measures the redaction.
    Measure {
        /// Folders of data sets.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Shipped profiles.
        #[arg(long, default_values = ["no-names", "strict"])]
        profile: Vec<String>,
        /// A model other than the one that ships.
        #[arg(long)]
        model: Option<PathBuf>,
        /// Judge each set with a model that was trained on all others.
        #[arg(long)]
        leave_out: bool,
        /// More folders to train on with `--leave-out`.
        #[arg(long)]
        train: Vec<PathBuf>,
        /// Only these sets.
        #[arg(long)]
        only: Vec<String>,
        /// Every character but spaces counts.
        #[arg(long)]
        strict_score: bool,
        /// Print the direct identifiers that leak.
        #[arg(long)]
        leaks: bool,
        /// Print all that is missed, and what is masked beyond the spans.
        #[arg(long)]
        faults: bool,
        /// Where what was masked is written, a file for each set and profile, for another scorer.
        #[arg(long)]
        masks: Option<PathBuf>,
        /// Where models of `--leave-out` are kept.
        #[arg(long)]
        keep: Option<PathBuf>,
        /// Findings of another engine, counted like ours: a line of JSON with `set`, `id`, `spans` of `[start, end]` in
        /// code points, and `ms` of processor time for each text; at the end there may be one with `peak_mb`.
        #[arg(long, value_name = "NAME=FILE")]
        spans: Vec<String>,
        /// Print how much memory was needed at the most.
        #[arg(long)]
        peak: bool,
        #[command(flatten)]
        tuning: Tuning,
    },
    /// Prints texts without their marks, for another engine.
    Texts {
        /// Folders of data sets.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Only these sets.
        #[arg(long)]
        only: Vec<String>,
    },
}

/// How the tagger learns.
#[derive(clap::Args, Clone, Copy)]
struct Tuning {
    /// Rounds over all texts.
    #[arg(long, default_value_t = Settings::default().rounds)]
    rounds: usize,
    /// The size of steps.
    #[arg(long, default_value_t = Settings::default().pace)]
    pace: f32,
    /// The draw towards nothing.
    #[arg(long, default_value_t = Settings::default().draw)]
    draw: f32,
    /// Features left out, of a hundred.
    #[arg(long, default_value_t = Settings::default().left_out)]
    drop: u64,
}

impl Tuning {
    fn settings(self) -> Settings {
        Settings {
            rounds: self.rounds,
            pace: self.pace,
            draw: self.draw,
            left_out: self.drop,
        }
    }
}

fn main() -> std::process::ExitCode {
    match run(Args::parse().command) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "yardstick: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn read_all(folders: &[PathBuf]) -> Result<Vec<Set>, String> {
    let mut sets = Vec::new();
    for folder in folders {
        sets.extend(sets::read_folder(folder)?);
    }
    Ok(sets)
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Train {
            folders,
            out,
            without,
            tuning,
        } => {
            let sets = read_all(&folders)?;
            let learner = learn::Learner::new(&sets);
            let bytes = learner.learn(&|name| without.iter().any(|left| left == name), tuning.settings());
            std::fs::write(&out, bytes).map_err(|error| format!("{}: {error}", out.display()))
        }
        Command::Measure {
            folders,
            profile,
            model,
            leave_out,
            train,
            only,
            strict_score,
            leaks,
            faults,
            masks,
            keep,
            spans,
            peak,
            tuning,
        } => {
            let measured = read_all(&folders)?;
            let wanted = |set: &&Set| only.is_empty() || only.contains(&set.name);
            let others: Vec<_> = spans
                .iter()
                .map(|spans| other::Other::read(spans))
                .collect::<Result<_, _>>()?;
            let profiles: Vec<Profile> = profile.iter().map(|name| load(name)).collect::<Result<_, _>>()?;
            let bytes = model
                .map(std::fs::read)
                .transpose()
                .map_err(|error| error.to_string())?;
            let model = bytes
                .as_deref()
                .map(Model::parse)
                .transpose()
                .map_err(|bad| bad.to_string())?;
            let mut out = std::io::stdout().lock();
            let mut tell = |line: String| writeln!(out, "{line}").map_err(|error| error.to_string());
            tell(heading())?;
            let trained = if leave_out {
                Some(train_for(&folders, &train)?)
            } else {
                None
            };
            for set in measured.iter().filter(wanted) {
                let own = trained
                    .as_ref()
                    .map(|learner| learner.learn(&|name| name == set.name, tuning.settings()));
                if let (Some(folder), Some(bytes)) = (&keep, &own) {
                    std::fs::write(folder.join(format!("{}.bin", set.name)), bytes)
                        .map_err(|error| error.to_string())?;
                }
                let own = own
                    .as_deref()
                    .map(Model::parse)
                    .transpose()
                    .map_err(|bad| bad.to_string())?;
                let mut rows = Vec::new();
                for profile in &profiles {
                    let (score, cpu, lines) = measure(set, profile, own.as_ref().or(model.as_ref()), strict_score)?;
                    if let Some(folder) = &masks {
                        let path = folder.join(format!("{}.{}.jsonl", set.name, profile.name()));
                        std::fs::write(path, lines).map_err(|error| error.to_string())?;
                    }
                    rows.push((profile.name(), score, Some(cpu)));
                }
                for other in &others {
                    let (score, cpu) = other.measure(set, strict_score)?;
                    rows.push((&other.name, score, cpu));
                }
                for (name, score, cpu) in rows {
                    tell(line(&set.name, name, &score, cpu))?;
                    for (direct, id, of, text) in score.missed.iter().filter(|missed| faults || leaks && missed.0) {
                        tell(format!(
                            "  missed in {id}: {of} {text:?}{}",
                            if *direct { ", direct" } else { "" }
                        ))?;
                    }
                    for (id, text) in score.extra.iter().filter(|_| faults) {
                        tell(format!("  beyond in {id}: {text:?}"))?;
                    }
                }
            }
            let peaks = others.iter().map(|other| (other.name.as_str(), other.peak));
            let peaks = [("ours", other::peak())].into_iter().chain(peaks).filter(|_| peak);
            for (name, megabytes) in peaks.filter_map(|(name, peak)| Some((name, peak?))) {
                tell(format!("peak memory of {name}: {megabytes:.0} MB"))?;
            }
            Ok(())
        }
        Command::Texts { folders, only } => {
            let mut out = std::io::stdout().lock();
            let sets = read_all(&folders)?;
            let wanted = |set: &&Set| only.is_empty() || only.contains(&set.name);
            for text in sets.iter().filter(wanted).flat_map(other::texts) {
                writeln!(out, "{text}").map_err(|error| error.to_string())?;
            }
            Ok(())
        }
    }
}

fn load(name: &str) -> Result<Profile, String> {
    let text = match shipped(name) {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?,
    };
    let profile = Profile::parse(&text).map_err(|bad| bad.to_string())?;
    let day = WRITTEN
        .parse()
        .map_err(|bad: strongroom::chain::BadTime| bad.to_string())?;
    Ok(profile.written(day))
}

/// The day on which all texts count as written.
const WRITTEN: &str = "2026-03-01T00:00:00Z";

fn train_for(folders: &[PathBuf], more: &[PathBuf]) -> Result<learn::Learner, String> {
    let all: Vec<PathBuf> = folders.iter().chain(more).cloned().collect();
    Ok(learn::Learner::new(&read_all(&all)?))
}

/// Redacts a set; the score, milliseconds of processor time for 4,000 characters, and what was
/// masked.
#[allow(clippy::cast_precision_loss)]
fn measure(
    set: &Set,
    profile: &Profile,
    model: Option<&Model<'_>>,
    strict: bool,
) -> Result<(Score, f64, String), String> {
    let known = Known::nothing();
    let mut score = Score::default();
    let mut characters = 0;
    let mut lines = String::new();
    let mut spent = 0.0;
    // What is loaded at the first use is loaded before the clock runs.
    if let Some(model) = model {
        let _ = redact_with("Nothing. Azra Okonkwo, PIN 4417.", profile, &known, model);
    } else {
        let _ = redact("Nothing. Azra Okonkwo, PIN 4417.", profile, &known);
    }
    for document in &set.documents {
        let before = processor_time();
        let redaction = match model {
            Some(model) => redact_with(&document.text, profile, &known, model),
            None => redact(&document.text, profile, &known),
        };
        spent += processor_time() - before;
        characters += document.text.chars().count();
        let redaction = redaction.map_err(|refused| format!("{} of {}: {refused}", document.id, set.name))?;
        let masked: Vec<(usize, usize)> = redaction.spans.iter().map(|span| (span.start, span.end)).collect();
        score.add(document, &masked, strict);
        let spans: Vec<_> = masked
            .iter()
            .map(|(start, end)| serde_json::json!({ "start": start, "end": end }))
            .collect();
        lines.push_str(&serde_json::json!({ "id": document.id, "spans": spans }).to_string());
        lines.push('\n');
    }
    Ok((score, 4_000.0 * spent / characters.max(1) as f64, lines))
}

/// Processor time of this process, in milliseconds.
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6;
    milliseconds
}

const TYPES: [&str; 11] = [
    "PERSON",
    "ID_NUMBER",
    "ORG",
    "LOCATION",
    "DATE",
    "OTHER",
    "PHONE",
    "EMAIL",
    "URL",
    "IP",
    "MONEY",
];

fn heading() -> String {
    let types: String = TYPES.iter().map(|of| format!(" {:>7.7}", of.to_lowercase())).collect();
    format!(
        "{:<14} {:<8}     all{types}  entities       leaking precision   kept ms/page",
        "set", "profile"
    )
}

fn line(set: &str, profile: &str, score: &Score, cpu: Option<f64>) -> String {
    let cell = |of: &str| {
        score
            .recall(of)
            .map_or_else(|| format!("{:>8}", "-"), |share| format!("{share:>8.2}"))
    };
    let types: String = TYPES.iter().map(|of| cell(of)).collect();
    format!(
        "{set:<14} {profile:<8}{}{types}  {:>8.2} {:>6}/{:<6} {:>9.2} {:>6} {:>7}",
        cell("ALL"),
        percent(score.entities.1, score.entities.0),
        score.leaking,
        score.with_direct,
        score.precision(),
        match score.keep {
            (0, _) => "-".to_owned(),
            (all, kept) => format!("{:.1}", percent(kept, all)),
        },
        cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.2}")),
    )
}
