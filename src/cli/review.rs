//! The access review as a table or as JSON.

use super::members::{in_json, row};
use super::out;
use super::terminal::Seen;
use super::words::counted;
use crate::app::{
    Context, Error, Kind, Leaver, Review, ReviewDoor, ReviewLine, Reviewed, UNUSED_DAYS, nobody_accepts, review_members,
};
use serde_json::json;

/// `member review`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, accept: bool) -> Result<u8, Error> {
    let columns = seen.terminal.facts().columns;
    let render = |review: &Review| match seen.json {
        true => format!("{}\n", out::json_text(&as_json(review)).as_str()),
        false => as_text(review, columns),
    };
    let show = |text: &str, reviewed: &Reviewed| {
        seen.result(text)?;
        seen.remark(&format!(
            "that this was shown is entry {}, with the digest {}",
            reviewed.shown, reviewed.digest
        ));
        Ok(())
    };
    let confirm = || {
        let facts = seen.terminal.facts();
        match (seen.yes, facts.may_ask && facts.typed) {
            (true, _) => Ok(()),
            (false, false) => Err(nobody_accepts()),
            (false, true) => {
                let said = seen.terminal.line("is all of this as it should be? Type yes: ");
                match said.as_deref().map(str::trim) {
                    Some("yes") => Ok(()),
                    _ => Err(Error::new(Kind::Failed, "the review was shown, and not accepted")),
                }
            }
        }
    };
    let door = ReviewDoor {
        render: &render,
        show: &show,
        accept: accept.then_some(&confirm),
    };
    if let Some(entry) = review_members(context, &door)?.accepted {
        seen.remark(&format!("accepted: entry {entry}"));
    }
    Ok(0)
}

fn as_text(review: &Review, columns: Option<u16>) -> String {
    let head = [
        "handle",
        "clearance",
        "roles",
        "until",
        "devices",
        "last",
        "90 days",
        "all",
    ];
    let rows = review.members.iter().map(|line| {
        let mut row = row(&line.member);
        row.push(line.last.map(|time| time.to_string()).unwrap_or_default());
        row.push(line.entries.1.to_string());
        row.push(line.entries.0.to_string());
        row
    });
    let mut text = out::table(columns, &head, rows.collect());
    let findings = findings(review);
    match findings.is_empty() {
        true => text.push_str("nothing is left over\n"),
        false => findings
            .iter()
            .for_each(|finding| text.push_str(&format!("- {finding}\n"))),
    }
    if review.closed > 0 {
        let entries = counted(review.closed, "entry", "entries");
        text.push_str(&format!(
            "{entries} of the last {UNUSED_DAYS} days did not open for who reviewed, so what was used there is not seen\n"
        ));
    }
    text.push_str(&match &review.accepted {
        Some((by, time)) => format!("reviewed {}; last accepted {time} by {by}\n", review.time),
        None => format!("reviewed {}; never accepted before\n", review.time),
    });
    text
}

/// What a lead should look at, one thing a line.
fn findings(review: &Review) -> Vec<String> {
    let mut found = Vec::new();
    for ReviewLine { member, unused, .. } in &review.members {
        let handle = &member.handle;
        if !unused.is_empty() {
            let unused = out::one_line(&unused.join(", "));
            found.push(format!("{handle} did not use in {UNUSED_DAYS} days: {unused}"));
        }
        for (what, until, _) in member.lent.iter().filter(|(_, _, over)| *over) {
            let what = out::one_line(what);
            found.push(format!(
                "{what} was lent to {handle} until {until}, and they still have its key"
            ));
        }
        match member.until {
            Some((until, true)) => found.push(format!("{handle}'s membership is over since {until}")),
            _ if member.paused => found.push(format!("{handle} is paused, and keeps their keys")),
            _ => {}
        }
    }
    for Leaver {
        handle,
        removed,
        devices,
    } in &review.leavers
    {
        let devices: Vec<String> = devices.iter().map(ToString::to_string).collect();
        let why = if *removed {
            "was removed"
        } else {
            "is no member any more"
        };
        found.push(format!(
            "{handle} {why}, and keys are still there for {}",
            devices.join(", ")
        ));
    }
    for usage in &review.pending {
        found.push(format!("rotation pending for {}", out::one_line(usage)));
    }
    found
}

fn as_json(review: &Review) -> serde_json::Value {
    let members = review.members.iter().map(|line| {
        let mut value = in_json(&line.member);
        value["last"] = json!(line.last.map(|time| time.to_string()));
        value["entries"] = json!(line.entries.0);
        value["entries_recent"] = json!(line.entries.1);
        value["unused"] = json!(line.unused);
        let devices = line.devices.iter();
        let devices: serde_json::Map<String, serde_json::Value> = devices
            .map(|(device, time)| (device.to_string(), json!(time.to_string())))
            .collect();
        value["devices_last"] = json!(devices);
        value
    });
    let leavers = review.leavers.iter().map(|leaver| {
        let devices: Vec<String> = leaver.devices.iter().map(ToString::to_string).collect();
        json!({ "handle": leaver.handle, "removed": leaver.removed, "devices": devices })
    });
    json!({
        "time": review.time.to_string(),
        "days": UNUSED_DAYS,
        "members": members.collect::<Vec<_>>(),
        "leavers": leavers.collect::<Vec<_>>(),
        "pending": review.pending,
        "closed": review.closed,
        "accepted": review.accepted.as_ref().map(|(by, time)| json!({ "by": by, "time": time.to_string() })),
    })
}
