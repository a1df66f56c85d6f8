//! Retention.

use super::called;
use super::terminal::Seen;
use super::words::{self, prompted};
use crate::app::shared::{Period, Time};
use crate::app::{Context, Error, Kind, keep};
use clap::Args as ClapArgs;
use serde_json::json;

#[derive(ClapArgs)]
pub(super) struct KeepArgs {
    /// Its id, the beginning of it, or at a terminal words of its title
    pub(super) id: String,
    /// Why it is kept; goes sealed into the log
    #[arg(long, value_name = "TEXT")]
    pub(super) because: String,
    /// Until which day, or for how long from now: 2027-06-30, 6m, 1y [default: until its next review]
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
}

/// `keep`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, args: &KeepArgs) -> Result<u8, Error> {
    let because = prompted(context.person, "because", Some(&args.because))?.unwrap_or_default();
    let until = args
        .until
        .as_deref()
        .map(|until| moment(until, context.now()))
        .transpose()?;
    let id = called::id_to_change(context, seen, &args.id)?;
    let done = keep(context, &id, &because, until)?;
    let day = day_of(done.until);
    if seen.json {
        seen.json(&json!({
            "id": done.id.to_string(),
            "until": day,
            "revision": done.revision,
            "class": done.class,
            "purge": done.purge.map(day_of),
            "entry": done.entry.to_string(),
        }))?;
        return Ok(0);
    }
    let purge = done.purge.map(day_of);
    let end = match purge {
        Some(purge) if purge == day => String::new(),
        Some(purge) => format!("; by its class it goes on {purge}, unless it is kept longer"),
        None => String::new(),
    };
    seen.remark(&format!("kept: it is due for review again on {day}{end}"));
    Ok(0)
}

/// A day to come, or so long after now.
fn moment(text: &str, now: Time) -> Result<Time, Error> {
    if let Ok(period) = text.parse::<Period>() {
        return match period.after(now.unix()) {
            Some(time) => Ok(Time::from_unix(time)),
            None => Err(Error::new(Kind::Usage, "so long nothing is kept")),
        };
    }
    // What is kept until a day is kept so wherever one is: a day of the record, not of a place.
    let day = (text.len() == 10).then(|| format!("{text}T00:00:00Z"));
    words::time(day.as_deref().unwrap_or(text))
        .map_err(|error| error.hint("or for how long from now: 30d, 6w, 18m, 5y"))
}

fn day_of(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}
