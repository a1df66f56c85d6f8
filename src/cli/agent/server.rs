//! The agent: holds an identity unlocked and carries out commands for clients of the same user. It hands out results,
//! never keys, and every access is decided and recorded as anywhere.

use super::end;
use super::wire::{Ask, Request, other_version, receive, send};
use crate::app::{
    Access, Clock, Context, Error, Held, Kind, Listener, Offered, Places, Wire, agent_socket, offer_ids, since_boot,
    tidy,
};
use crate::cli::args::{Args, Common};
use crate::cli::commands;
use crate::cli::config::Config;
use crate::cli::terminal::{Away, Facts, Seen};
use clap::Parser;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long a client may take to say what it wants.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How long the agent sleeps at a time: a machine that was asleep meanwhile is found idle soon after it wakes.
const NAP: Duration = Duration::from_secs(20);
/// How long nobody must have come before it tidies; and between two goes, whoever waits is let in first.
const PAUSE: Duration = Duration::from_secs(2);
const BREATH: Duration = Duration::from_millis(200);
/// How long commands under way may take to end once the vault is locked.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// At most so many clients at once.
const CLIENTS_MAX: usize = 64;

/// What the agent's threads share.
struct Desk {
    held: Held,
    places: Places,
    socket: PathBuf,
    idle: Duration,
    /// Seconds since boot at which the agent has been idle for long enough.
    until: AtomicU64,
    locked: AtomicBool,
}

impl Desk {
    fn touch(&self) {
        let until = since_boot().saturating_add(self.idle);
        self.until.store(until.as_secs(), Ordering::Relaxed);
    }

    fn left(&self) -> Duration {
        Duration::from_secs(self.until.load(Ordering::Relaxed)).saturating_sub(since_boot())
    }
}

/// Becomes the agent. Standard input is the wire to whoever started this, at whose terminal the passphrase is asked
/// for and to whom it is told that the vault is unlocked, or why not.
pub(in crate::cli) fn serve(common: &Common, seconds: u64) -> Result<u8, Error> {
    let starter = Wire::of_standard_input().map_err(|error| Error::new(Kind::Usage, error.to_string()))?;
    let facts = Facts {
        may_ask: !common.no_input,
        ..Facts::default()
    };
    let starter = Away::new(starter, facts, || {});
    let begun = begin(common, &starter, seconds);
    let (desk, listener) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            // Whoever gave up at the prompt is gone, and needs no answer.
            let _ = starter.tell(&Ask::Refuse(error.into()));
            return Ok(1);
        }
    };
    into_the_background().map_err(|error| Error::new(Kind::Failed, error.to_string()))?;
    starter.tell(&Ask::End(0))?;
    drop(starter);
    attend_clients(&desk, &listener);
    // No new client comes from here on; those under way see the wire break.
    drop(listener);
    let waited = since_boot();
    while Arc::strong_count(&desk) > 1 && since_boot().saturating_sub(waited) < LAST_WORDS {
        std::thread::sleep(Duration::from_millis(20));
    }
    // With the last reference the keys are wiped; a client that is still there loses them with the process.
    drop(desk);
    Ok(0)
}

fn begin(common: &Common, starter: &Away, seconds: u64) -> Result<(Arc<Desk>, Listener), Error> {
    let context = commands::context(common, starter)?;
    let socket = agent_socket(&context.places);
    let held = Held::unlock(&context)?;
    // The one that was there stays until now: who mistypes the passphrase goes on with it.
    end(&context.places)?;
    let listener = Listener::bind(&socket).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
    let desk = Desk {
        held,
        places: context.places.clone(),
        socket,
        idle: Duration::from_secs(seconds),
        until: AtomicU64::new(0),
        locked: AtomicBool::new(false),
    };
    desk.touch();
    Ok((Arc::new(desk), listener))
}

/// Leaves the terminal and the folder that it was started from.
fn into_the_background() -> std::io::Result<()> {
    // Whoever leads a process group already has no terminal to leave.
    let _ = rustix::process::setsid();
    std::env::set_current_dir("/")?;
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    Ok(())
}

/// Packing in a thread of its own: whoever wants to lock, or to know how it stands, does not wait for it.
#[derive(Default)]
struct Tidying {
    busy: AtomicBool,
    /// The last look found nothing more, and nobody has come since.
    idle: AtomicBool,
}

impl Tidying {
    /// Begins another go unless one is under way; whether there may be more to do.
    fn begin(self: &Arc<Self>, places: &Places) -> bool {
        if self.busy.swap(true, Ordering::SeqCst) {
            return true;
        }
        // Whoever comes from here on makes it worth another look, whatever this one finds.
        if self.idle.swap(true, Ordering::SeqCst) {
            self.busy.store(false, Ordering::SeqCst);
            return false;
        }
        let (this, places) = (Arc::clone(self), places.clone());
        std::thread::spawn(move || {
            if tidy(&places).unwrap_or(false) {
                this.idle.store(false, Ordering::SeqCst);
            }
            this.busy.store(false, Ordering::SeqCst);
        });
        true
    }
}

fn attend_clients(desk: &Arc<Desk>, listener: &Listener) {
    let tidying = Arc::new(Tidying::default());
    let mut nap = PAUSE;
    // An agent that nobody can reach cannot be told to lock.
    while !desk.locked.load(Ordering::SeqCst) && !desk.left().is_zero() && listener.is_reachable() {
        let Ok(next) = listener.next(desk.left().min(nap)) else {
            // What is wrong with one client is no reason to leave the others, nor to spin.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let Some(wire) = next else {
            // Nobody has come for a while. What gathered is packed while nobody waits; what fails is tried again later.
            let nobody = Arc::strong_count(desk) == 1;
            nap = if nobody && tidying.begin(&desk.places) {
                BREATH
            } else {
                NAP
            };
            continue;
        };
        tidying.idle.store(false, Ordering::SeqCst);
        nap = PAUSE;
        if Arc::strong_count(desk) > CLIENTS_MAX {
            continue;
        }
        let desk = Arc::clone(desk);
        std::thread::spawn(move || attend(&desk, wire));
    }
}

/// One client, from its request to the end of its command.
fn attend(desk: &Arc<Desk>, wire: Wire) {
    let _ = wire.patience(Some(FIRST_WORD));
    // A client that breaks off gets no answer, and needs none.
    let Ok(Some((request, _))) = receive::<Request>(&wire) else {
        return;
    };
    let _ = wire.patience(None);
    // Whoever came before it was locked is served no more after it.
    if desk.locked.load(Ordering::SeqCst) {
        return;
    }
    match request {
        Request::Status => {
            let stays = Ask::Stays(desk.left().as_secs(), desk.held.stays_in_memory());
            let _ = send(&wire, &stays, None);
        }
        Request::Lock => {
            desk.locked.store(true, Ordering::SeqCst);
            // The agent sleeps at its door: a knock lets it see that it is locked. The client hears the wire break
            // when the process is gone.
            let knock = Wire::connect(&desk.socket);
            std::mem::forget(wire);
            drop(knock);
        }
        Request::Offer(kinds, typed) => {
            let client = Away::new(wire, Facts::default(), || {});
            // Whoever is offered nothing needs no reason.
            if let Ok(ids) = offer(desk, &client, kinds.into(), &typed) {
                let _ = client.tell(&Ask::Result(ids.join("\n").as_bytes().into()));
            }
            let _ = client.tell(&Ask::End(0));
        }
        Request::Run(run) => {
            if send(&wire, &Ask::Here, None).is_err() {
                return;
            }
            let alive = Arc::clone(desk);
            let words = run.words.iter().map(|word| OsString::from_vec(word.to_vec())).collect();
            let client = Away::new(wire, run.facts(), move || alive.touch());
            let done = match run.version == env!("CARGO_PKG_VERSION") {
                true => carry_out(desk, &client, words),
                false => Err(other_version()),
            };
            let _ = client.tell(&match done {
                Ok(code) => Ask::End(code),
                Err(error) => Ask::Refuse(error.into()),
            });
        }
    }
}

fn offer(desk: &Desk, client: &Away, which: Offered, typed: &str) -> Result<Vec<String>, Error> {
    let clock = Clock::of_this_run().map_err(|bad| Error::new(Kind::Usage, bad.to_string()))?;
    let context = Context {
        places: desk.places.clone(),
        clock,
        source: None,
        person: client,
        access: Access::default(),
        held: Some(&desk.held),
    };
    offer_ids(&context, which, typed)
}

fn carry_out(desk: &Desk, client: &Away, words: Vec<OsString>) -> Result<u8, Error> {
    // The client has read them before; a usage error is its own to show.
    let mut args = Args::try_parse_from(words).map_err(|_| other_version())?;
    // The vault is the one that is held.
    let config = Config::read()?;
    config.zone();
    config.fill(&mut args);
    let context = Context {
        places: desk.places.clone(),
        held: Some(&desk.held),
        source: None,
        ..commands::context(&args.common, client)?
    };
    let seen = Seen::new(client, &args.common);
    commands::with_vault(&context, &seen, &args.command)
}
