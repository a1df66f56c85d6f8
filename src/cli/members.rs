//! Members: who asks, whom a lead admits, and who there is.

use super::out;
use super::terminal::Seen;
use super::words::counted;
use crate::app::shared::{DeviceKind, JoinRequest, Role, Time};
use crate::app::{Admission, Context, Error, Kind, LeftCase, LostNote, MemberChange, MemberLine, Rights};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum MemberCommand {
    /// Ask to be admitted: makes this device's identity and a file for a lead; needs no vault
    #[command(
        after_help = "Example:\n  strongroom member request --name jon --out jon.request\n\nPrints eight words. Send the file to a lead in any way, and read the words to them over another: a call, or face to face. With the words the lead knows that the file is yours. Once you are admitted, your first command in the vault shows the vault's own words, to compare likewise.\n\nA further device of yours asks in the same way, with an identity of its own."
    )]
    Request {
        /// Your name; your handle is made of it
        #[arg(long)]
        name: String,
        /// The new file with the request
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Take a weak passphrase all the same
        #[arg(long)]
        insist: bool,
    },
    /// Admit a device that asked; for leads
    #[command(
        after_help = "Examples:\n  strongroom member admit jon.request --clearance confidential --compartment Halcyon\n  strongroom member admit rita.request --clearance internal --role auditor --until 2027-06-30\n  strongroom member admit laptop.request --device-of jon\n\nShows the words of the request and asks whether they are those that the person read to you; --yes does not ask. Nobody can give a clearance that goes beyond their own. An auditor who is nothing else gets the key to the log's details and no key to a note."
    )]
    Admit(AdmitArgs),
    /// Give a member more, or another end; for leads
    #[command(
        after_help = "Examples:\n  strongroom member grant jon --compartment Kestrel\n  strongroom member grant jon --compartment Kestrel --until 2027-01-15     lent until then\n  strongroom member grant jon --until 2027-12-31                           the membership ends then\n  strongroom member grant kim --role breakglass\n\nWhat is given can be used at their next command. Nobody gives what they do not have. What is lent can be used until its time is over; the keys for it stay where they are until a lead takes it back with `member revoke`, of which leads are told. With the role breakglass go the keys of every level, for `strongroom breakglass open`."
    )]
    Grant(RightsArgs),
    /// Take something from a member: new keys for it, and what they knew of it is listed; for leads
    #[command(
        after_help = "Examples:\n  strongroom member revoke jon --compartment Kestrel\n  strongroom member revoke jon --clearance internal\n\nThey keep what they have read and copied, so what they could read is listed, and what they did: change in the world what has to be changed, such as codes and routes. What somebody holds last is not taken from them: they give it to somebody else first."
    )]
    Revoke(RightsArgs),
    /// Let a member do nothing until they are resumed; their keys stay; for leads
    Pause {
        /// The member
        #[arg(value_name = "HANDLE")]
        handle: String,
    },
    /// Let a paused member go on; for leads
    Resume {
        /// The member
        #[arg(value_name = "HANDLE")]
        handle: String,
    },
    /// Say that you looked at both histories of a device's log; for leads
    #[command(
        after_help = "Example:\n  strongroom audit log --actor jon\n  strongroom member rejoin jon\n\nWhere a backup was put back and written to while other clones had gone on, two histories of that device's log are kept, and `strongroom audit verify` ends with 4: a copied key would look the same. Ask the member, and look at what stands in both. Then this writes a card that names the end of each; from then on they are a finding that stays listed."
    )]
    Rejoin {
        /// Whose device it is
        #[arg(value_name = "HANDLE")]
        handle: String,
    },
    /// End a membership: new keys for all they had, and what they knew is listed; for leads
    #[command(
        after_help = "Examples:\n  strongroom member remove jon\n  strongroom member remove jon --device 3f2a          a lost laptop; jon stays\n\nTheir devices are no devices of the vault any more: what they write from now on counts for nothing. They keep what they have copied. What they could read is listed, and what they did read: change in the world what has to be changed, such as codes and routes. Where you lack a key yourself, a lead who holds it runs the same command. What somebody holds last, they give to somebody else first; `member pause` stops them meanwhile."
    )]
    Remove {
        /// The member
        #[arg(value_name = "HANDLE")]
        handle: String,
        /// Only this device of theirs, by its id or the beginning of it: it is lost
        #[arg(long, value_name = "ID")]
        device: Option<String>,
    },
    /// List the members, what they may read, and the words that whoever joins compares
    #[command(
        after_help = "Examples:\n  strongroom member list\n  strongroom member list -v          with the ids of their devices\n  strongroom member list --json"
    )]
    List,
    /// Review who can read what, who used it, and what is left over; for leads
    #[command(
        after_help = "Examples:\n  strongroom member review\n  strongroom member review --accept\n  strongroom member review --json > review.json\n\nThat it was shown is an entry with the SHA-256 of the text, so a copy of it can be checked against the log later. With --accept you are asked whether all of it is as it should be, and a yes is an entry too; --yes does not ask. What somebody used shows as far as the log's details and the labels of notes open for you."
    )]
    Review {
        /// Say that you found it right; goes into the log
        #[arg(long)]
        accept: bool,
    },
}

#[derive(ClapArgs)]
pub(super) struct AdmitArgs {
    /// The file with the request
    file: PathBuf,
    /// How much they may read: LEVEL[/COMPARTMENT…]
    #[arg(
        long,
        value_name = "LEVEL",
        conflicts_with = "device_of",
        required_unless_present = "device_of"
    )]
    clearance: Option<String>,
    /// A compartment that they hold; may be given several times
    #[arg(long = "compartment", value_name = "NAME", conflicts_with = "device_of")]
    compartments: Vec<String>,
    /// What they are [default: officer]; may be given several times
    #[arg(long = "role", value_name = "ROLE", conflicts_with = "device_of")]
    roles: Vec<RoleArg>,
    /// When the membership ends
    #[arg(long, value_name = "TIME", conflicts_with = "device_of")]
    until: Option<String>,
    /// It is a further device of this member
    #[arg(long, value_name = "HANDLE")]
    device_of: Option<String>,
}

#[derive(ClapArgs)]
#[command(group = clap::ArgGroup::new("rights").required(true).multiple(true))]
pub(super) struct RightsArgs {
    /// The member
    #[arg(value_name = "HANDLE")]
    handle: String,
    /// The level up to which they may read from now on
    #[arg(long, value_name = "LEVEL", group = "rights")]
    clearance: Option<String>,
    /// A compartment; may be given several times
    #[arg(long = "compartment", value_name = "NAME", group = "rights")]
    compartments: Vec<String>,
    /// A role; may be given several times
    #[arg(long = "role", value_name = "ROLE", group = "rights")]
    roles: Vec<RoleArg>,
    /// Until when it is lent; alone, when the membership ends, or `never`
    #[arg(long, value_name = "TIME", group = "rights")]
    until: Option<String>,
}

impl RightsArgs {
    fn rights(&self) -> Result<Rights, Error> {
        Ok(Rights {
            clearance: self.clearance.clone(),
            compartments: self.compartments.clone(),
            roles: self.roles.iter().map(|role| role.role()).collect(),
            endless: self.until.as_deref() == Some(NEVER),
            until: match self.until.as_deref() {
                Some(NEVER) => None,
                until => until.map(super::words::time).transpose()?,
            },
        })
    }
}

/// What is said for an end that there is not.
const NEVER: &str = "never";

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    // No docstrings here, for the same reason as for the formats.
    Officer,
    Lead,
    Auditor,
    Breakglass,
}

impl RoleArg {
    fn role(self) -> Role {
        match self {
            Self::Officer => Role::Officer,
            Self::Lead => Role::Lead,
            Self::Auditor => Role::Auditor,
            Self::Breakglass => Role::BreakGlass,
        }
    }
}

/// `member …`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &MemberCommand) -> Result<u8, Error> {
    match command {
        MemberCommand::Request { name, out, insist } => {
            let made = crate::app::ask_for_membership(context, name, out, *insist)?;
            let words = made.fingerprint.to_string();
            match seen.json {
                true => seen.json(&json!({
                    "handle": made.handle,
                    "device": made.device.to_string(),
                    "identity": made.identity.to_string_lossy(),
                    "request": out.to_string_lossy(),
                    "fingerprint": words,
                }))?,
                false => {
                    seen.remark(&format!("identity  {}", made.identity.display()));
                    seen.remark(&format!(
                        "request   {}: send it to a lead, and read these words to them",
                        out.display()
                    ));
                    seen.result(&format!("{words}\n"))?;
                }
            }
            Ok(0)
        }
        MemberCommand::Admit(args) => admit(context, seen, args),
        MemberCommand::Grant(args) => change(context, seen, &args.handle, &MemberChange::Grant(args.rights()?)),
        MemberCommand::Revoke(args) => change(context, seen, &args.handle, &MemberChange::Revoke(args.rights()?)),
        MemberCommand::Pause { handle } => change(context, seen, handle, &MemberChange::Pause),
        MemberCommand::Resume { handle } => change(context, seen, handle, &MemberChange::Resume),
        MemberCommand::Rejoin { handle } => rejoin(context, seen, handle),
        MemberCommand::Remove { handle, device } => {
            let whom = out::one_line(handle);
            let prompt = match device {
                Some(device) => format!(
                    "remove the device `{}` of {whom}? What it writes from now on counts for nothing.",
                    out::one_line(device)
                ),
                None => format!("end the membership of {whom}? What they write from now on counts for nothing."),
            };
            seen.agreed(&prompt, "nobody was removed")?;
            let what = device.clone().map_or(MemberChange::Remove, MemberChange::RemoveDevice);
            change(context, seen, handle, &what)
        }
        MemberCommand::List => list(context, seen),
        MemberCommand::Review { accept } => super::review::run(context, seen, *accept),
    }
}

fn admit(context: &Context<'_>, seen: &Seen<'_>, args: &AdmitArgs) -> Result<u8, Error> {
    let admission = Admission {
        file: args.file.clone(),
        clearance: args.clearance.clone(),
        compartments: args.compartments.clone(),
        roles: args.roles.iter().map(|role| role.role()).collect(),
        until: args.until.as_deref().map(super::words::time).transpose()?,
        device_of: args.device_of.clone(),
    };
    let admitted = crate::app::admit(context, &admission, &|request| confirm(seen, request))?;
    if seen.json {
        seen.json(&json!({
            "person": admitted.person.to_string(),
            "handle": admitted.handle,
            "device": admitted.device.to_string(),
            "clearance": admitted.clearance,
            "entry": admitted.entry.map(|entry| entry.to_string()),
            "changed": admitted.entry.is_some(),
        }))?;
        return Ok(0);
    }
    let clearance = out::one_line(&admitted.clearance);
    match &admission.device_of {
        _ if admitted.entry.is_none() => seen.remark(&format!(
            "{} was admitted with this device before; nothing was changed",
            admitted.handle
        )),
        None => seen.remark(&format!("admitted {}, cleared for {clearance}", admitted.handle)),
        Some(_) => seen.remark(&format!("admitted a further device of {}", admitted.handle)),
    }
    Ok(0)
}

/// The words are shown in any case; a person at a terminal has to say that they are the right ones.
fn confirm(seen: &Seen<'_>, request: &JoinRequest) -> Result<(), Error> {
    let facts = seen.terminal.facts();
    let (handle, words) = (&request.handle, request.fingerprint());
    if seen.yes || !(facts.may_ask && facts.typed) {
        seen.remark(&format!("the request of {handle}: {words}"));
        return Ok(());
    }
    let prompt = format!(
        "{handle} asks to be admitted. The words of the request:\n  {words}\nDid {handle} read you the same? Type yes: "
    );
    match seen.terminal.line(&prompt).as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        _ => Err(Error::new(Kind::Failed, "nobody was admitted")),
    }
}

fn rejoin(context: &Context<'_>, seen: &Seen<'_>, handle: &str) -> Result<u8, Error> {
    let done = crate::app::rejoin(context, handle)?;
    if seen.json {
        let logs = done.logs.iter();
        let logs = logs.map(|(log, entry)| json!({ "log": log.to_string(), "entry": entry.to_string() }));
        seen.json(&json!({
            "handle": done.handle,
            "logs": logs.collect::<Vec<_>>(),
            "changed": !done.logs.is_empty(),
        }))?;
        return Ok(0);
    }
    for (log, _) in &done.logs {
        seen.remark(&format!(
            "a card names the end of each history of log {log} of {}",
            done.handle
        ));
    }
    if done.logs.is_empty() {
        seen.remark(&format!(
            "no log of {} has two histories that wait for this; nothing was changed",
            done.handle
        ));
    }
    Ok(0)
}

fn change(context: &Context<'_>, seen: &Seen<'_>, handle: &str, change: &MemberChange) -> Result<u8, Error> {
    let done = crate::app::change_member(context, handle, change)?;
    if seen.json {
        let lost = done.lost.iter().map(|note| {
            json!({ "id": note.id.to_string(), "label": note.label, "title": note.title, "opened": note.opened })
        });
        seen.json(&json!({
            "handle": done.handle,
            "clearance": done.clearance,
            "roles": done.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
            "until": done.until.map(|until| until.to_string()),
            "paused": done.paused,
            "lent": done.lent.iter().map(|(what, until)| json!({
                "what": what,
                "until": until.to_string(),
            })).collect::<Vec<_>>(),
            "entry": done.entry.map(|entry| entry.to_string()),
            "changed": done.changed,
            "rotated": done.rotated,
            "pending": done.pending,
            "rewrapped": done.rewrapped,
            "could_read": lost.collect::<Vec<_>>(),
            "cases": done.left.iter().map(|left| json!({
                "client": left.client,
                "case": left.case,
                "notes": left.notes,
                "last": left.last.to_string(),
            })).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    let handle = &done.handle;
    match change {
        MemberChange::Remove if !done.changed => {
            seen.remark(&format!("{handle} was removed before; nothing was changed"));
        }
        _ if !done.changed => seen.remark(&format!("that is as it is with {handle} already; nothing was changed")),
        MemberChange::Remove => seen.remark(&format!("{handle} is a member no more")),
        MemberChange::RemoveDevice(_) => seen.remark(&format!(
            "{handle} is without that device; what went to {handle} by name before stays open to it"
        )),
        MemberChange::Pause => seen.remark(&format!("{handle} may do nothing until they are resumed")),
        MemberChange::Resume => seen.remark(&format!("{handle} goes on")),
        _ => {
            let lent = done
                .lent
                .iter()
                .map(|(what, until)| format!("; lent {what} until {until}"));
            let said = format!("{handle} is cleared for {}{}", done.clearance, lent.collect::<String>());
            seen.remark(&out::one_line(&said));
        }
    }
    if done.key_rests {
        seen.remark(&format!(
            "until {handle} is a lead again who may act, {handle}'s recovery key brings nobody back"
        ));
    }
    if !done.rotated.is_empty() {
        let uses = out::one_line(&done.rotated.join(", "));
        let wraps = match done.rewrapped {
            0 => String::new(),
            n => format!("; {} wrapped under them", counted(n, "file's key", "files' keys")),
        };
        seen.remark(&format!("new keys for {uses}{wraps}"));
    }
    if !done.pending.is_empty() {
        let uses = done.pending.join(", ");
        seen.remark(&format!(
            "rotation pending for {}: a lead who holds the key runs the same command",
            out::one_line(&uses)
        ));
    }
    if done.lost.is_empty() {
        return Ok(0);
    }
    seen.remark(&format!("what {handle} could read, and keeps if they copied it:"));
    let row = |note: &LostNote| {
        vec![
            note.id.to_string()[..8].to_owned(),
            out::one_line(&note.label),
            if note.opened { "opened" } else { "" }.to_owned(),
            out::one_line(&note.title),
        ]
    };
    seen.table(
        &["id", "label", "by the log", "title"],
        done.lost.iter().map(row).collect(),
    )?;
    if !done.left.is_empty() {
        seen.remark(&format!("where {handle} wrote, for somebody to take over:"));
        let row = |left: &LeftCase| {
            vec![
                out::one_line(&left.client),
                out::one_line(&left.case),
                left.notes.to_string(),
                left.last.to_string(),
            ]
        };
        seen.table(
            &["client", "case", "notes", "last"],
            done.left.iter().map(row).collect(),
        )?;
    }
    Ok(0)
}

fn list(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let known = crate::app::list_members(context)?;
    known
        .removals
        .iter()
        .for_each(|words| seen.terminal.warn(&out::one_line(words)));
    if seen.json {
        let members: Vec<_> = known.members.iter().map(in_json).collect();
        seen.json(&json!(members))?;
        return Ok(0);
    }
    let head = ["handle", "clearance", "roles", "until", "devices"];
    let rows = known.members.iter().map(|member| match seen.verbose {
        true => with_devices(member),
        false => row(member),
    });
    seen.table(&head, rows.collect())?;
    seen.remark(&format!(
        "the vault that {} founded; whoever joins compares: {}",
        known.founder, known.fingerprint
    ));
    Ok(0)
}

fn roles(member: &MemberLine) -> Vec<&'static str> {
    member.roles.iter().map(|role| role.name()).collect()
}

pub(super) fn row(member: &MemberLine) -> Vec<String> {
    let more = match member.unnamed {
        0 => String::new(),
        n => format!(
            " and {} that you do not hold",
            counted(n, "compartment", "compartments")
        ),
    };
    let until = |(time, over): (Time, bool)| match over {
        _ if member.paused => format!("{time} (paused)"),
        true => format!("{} (over)", time),
        false => time.to_string(),
    };
    let lent = member.lent.iter().map(|(what, until, over)| match over {
        true => format!("; {what} was lent until {until}"),
        false => format!("; {what} until {until}"),
    });
    let lent: String = lent.collect();
    vec![
        member.handle.clone(),
        format!("{}{more}{}", out::one_line(&member.clearance), out::one_line(&lent)),
        roles(member).join(", "),
        match member.until {
            None if member.paused => "paused".to_owned(),
            end => end.map(until).unwrap_or_default(),
        },
        member.devices.len().to_string(),
    ]
}

/// The same with the devices by name, of which `member remove --device` takes one.
fn with_devices(member: &MemberLine) -> Vec<String> {
    let mut row = row(member);
    let devices = member.devices.iter().map(|device| match device.kind {
        DeviceKind::Paper => format!("{} (paper)", device.device),
        _ => device.device.to_string(),
    });
    if let Some(last) = row.last_mut() {
        *last = devices.collect::<Vec<_>>().join(", ");
    }
    row
}

pub(super) fn in_json(member: &MemberLine) -> serde_json::Value {
    let devices = member.devices.iter().map(|device| {
        json!({
            "device": device.device.to_string(),
            "kind": serde_json::to_value(device.kind).unwrap_or_default(),
        })
    });
    json!({
        "person": member.person.to_string(),
        "handle": member.handle,
        "clearance": member.clearance,
        "compartments_unnamed": member.unnamed,
        "roles": roles(member),
        "lent": member.lent.iter().map(|(what, until, over)| json!({
            "what": what,
            "until": until.to_string(),
            "over": over,
        })).collect::<Vec<_>>(),
        "until": member.until.map(|(time, _)| time.to_string()),
        "paused": member.paused,
        "over": member.until.is_some_and(|(_, over)| over),
        "devices": devices.collect::<Vec<_>>(),
    })
}
