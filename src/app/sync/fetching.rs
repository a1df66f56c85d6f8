//! What is fetched of another repository: all of it at once, or, where something there is in the way, as much as is of use.

use super::super::error::{Error, Kind};
use super::{Exchange, LATER, There, fetched, list_branches, no_room};
use crate::ledger::{Elsewhere, is_witness};
use crate::repo::{GitJob, Settings, Staging, room_for_arrivals};

/// In how many parts at most it is fetched where some of it is damaged.
const PARTS_MAX: usize = 64;

impl Exchange<'_> {
    /// Lists the branches there, and fetches them if they hold anything new.
    pub(super) fn look(&mut self) -> Result<There, Error> {
        let repo = &self.unlocked.repo;
        let staging = repo.staging()?;
        let mut branches = list_branches(self.context, staging.dir(), self.url, self.deadline)?;
        let (mut there, mut in_part) = (None, false);
        if branches.has_main() && branches.has_news(repo)? {
            let broken = self.fetch(&staging, &branches)?;
            // Nothing needs what a witness wrote.
            in_part = broken.iter().any(|name| !is_witness(name));
            if Elsewhere::lacks_a_log(&broken) {
                self.broken(broken);
                self.see_what_went_back(&branches)?;
                let words = "not all logs, members and rules came from the remote; nothing was merged or pushed";
                return Err(Error::new(Kind::Unknown, words).hint(LATER));
            }
            let opened = staging.open(Settings::of_this_run())?.with_packs();
            // It may have changed since it was listed.
            branches = branches.renewed(Elsewhere::of(&opened)?, &broken);
            self.broken(broken);
            there = Some(opened);
        }
        Ok(There {
            branches,
            fetched: there,
            in_part,
            staging,
        })
    }

    /// Says which logs went back there, as far as what is listed tells of it to a device that has a log.
    fn see_what_went_back(&mut self, listed: &Elsewhere) -> Result<(), Error> {
        self.seen = Some(listed.clone());
        let Ok(desk) = self.unlocked.desk(self.context) else {
            return Ok(());
        };
        let went_back = desk.ledger.went_back(&self.name, listed)?;
        drop(desk);
        went_back
            .into_iter()
            .for_each(|problem| self.problem(Kind::Tampered, problem));
        Ok(())
    }

    /// Fetches all of it, or what can be fetched; gives the names of the branches that did not come.
    fn fetch(&mut self, staging: &Staging, branches: &Elsewhere) -> Result<Vec<String>, Error> {
        let repo = &self.unlocked.repo;
        let room = room_for_arrivals(repo.dir()).map_err(no_room)?;
        let mut alike = branches.alike(repo)?;
        staging.begin_with(&alike)?;
        let job = GitJob::fetch(
            staging.dir(),
            self.url,
            &branches.patterns(),
            &branches.left_out(),
            room,
        );
        let mut ended = self.git(job.clone())?;
        if !(ended.succeeded || ended.stopped || alike.is_empty()) {
            // One of these the vault may have lost, or not have any more.
            alike.clear();
            staging.begin_with_none()?;
            ended = self.git(job)?;
        }
        if ended.stopped {
            // Whoever can push makes branches of witnesses of any size: what is of use may fit without them.
            if !branches.names().iter().any(|name| is_witness(name)) {
                return fetched(&ended, room).map(|()| Vec::new());
            }
            staging.begin_anew(&alike)?;
        }
        match ended.succeeded {
            true => Ok(Vec::new()),
            // One branch that leads nowhere is enough for git to bring nothing.
            false => self.fetch_apart(staging, branches, room, ended.stopped),
        }
    }

    /// Fetches what can be fetched, in ever smaller parts; gives the names of the branches that cannot, up to the first
    /// without which the others are of no use. `stopped`: all at once did not fit, and it is done without the witnesses.
    fn fetch_apart(
        &mut self,
        staging: &Staging,
        branches: &Elsewhere,
        room: u64,
        mut stopped: bool,
    ) -> Result<Vec<String>, Error> {
        // That it does not answer any more is another matter.
        list_branches(self.context, staging.dir(), self.url, self.deadline)?;
        let (mut due, mut broken, mut parts) = (branches.names_apart(), Vec::new(), 0);
        while let Some(mut names) = due.pop() {
            let witnesses = names.iter().all(|name| is_witness(name));
            if witnesses && (stopped || parts >= PARTS_MAX) {
                broken.extend(names);
                continue;
            }
            parts += 1;
            let patterns: Vec<&str> = names.iter().map(String::as_str).collect();
            let job = GitJob::fetch(staging.dir(), self.url, &patterns, &[], room);
            let ended = self.git(job)?;
            if ended.succeeded {
                continue;
            }
            if ended.stopped && witnesses {
                // Nothing of it counts, also where all of it was there by then.
                staging.drop_what_is_half(&names)?;
                stopped = true;
                broken.extend(names);
                continue;
            }
            // Of what does not fit, or is broken in too many places, nothing is known.
            if ended.stopped || parts >= PARTS_MAX && !witnesses {
                return fetched(&ended, room).map(|()| broken);
            }
            let half = names.split_off(names.len() / 2);
            match names.is_empty() {
                true => {
                    broken.extend(half);
                    // Without it the rest is of no use.
                    if Elsewhere::lacks_a_log(&broken) {
                        return Ok(broken);
                    }
                }
                false => due.extend([half, names]),
            }
        }
        // Of two moments a log may be there that has seen more of another than came.
        if list_branches(self.context, staging.dir(), self.url, self.deadline)? != *branches {
            let words = "the remote changed while it was fetched in parts; nothing was merged or pushed";
            return Err(Error::new(Kind::Failed, words).hint(LATER));
        }
        if stopped {
            self.warn(&format!(
                "what witnesses wrote was not fetched from the remote: with it, what comes does not fit this disk (more than \
                 {} MiB), or takes too long; ask whoever runs the remote what lies there as `witness/…`",
                room >> 20
            ));
        }
        Ok(broken)
    }

    fn broken(&mut self, names: Vec<String>) {
        for name in names {
            let message = format!(
                "the branch `{name}` did not come: it is damaged there, or the transfer broke off, and what it holds \
                 cannot be told"
            );
            self.say(None, is_witness(&name).then_some(31), Kind::Failed, message);
        }
    }
}
