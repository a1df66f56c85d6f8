//! Other repositories, over stock git: what is fetched lies beside the vault's objects, what is pushed arrives.

use super::*;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A vault with some history, and a bare repository that stock git made.
fn two() -> (Vault, PathBuf, RemoteUrl) {
    let vault = Vault::new();
    run(&vault.open(Faults::none()), 0, 6);
    let hub = vault.folder.path().join("hub.git");
    vault.git(&["init", "--quiet", "--bare", hub.to_str().unwrap()]);
    let url = RemoteUrl::parse(hub.to_str().unwrap()).unwrap();
    (vault, hub, url)
}

fn listed(staging: &Staging, url: &RemoteUrl) -> Listed {
    let ended = GitJob::list(staging.dir(), url).run(false, &|_| {}).unwrap();
    assert!(ended.succeeded, "{}", said(&ended.errors));
    parse_list(&ended.output).unwrap()
}

fn push_all(repo: &Repo, staging: &Staging, url: &RemoteUrl) -> crate::env::Ended {
    let seen = listed(staging, url).branches;
    let moves: Vec<PushedRef> = repo
        .refs("refs/heads/")
        .unwrap()
        .into_iter()
        .map(|(name, new)| PushedRef {
            seen: seen.get(&name).copied(),
            forced: name.contains("notes/"),
            name,
            new,
        })
        .filter(|moved| moved.seen != Some(moved.new))
        .collect();
    GitJob::push(staging.dir(), url, &moves).run(false, &|_| {}).unwrap()
}

#[test]
fn what_is_pushed_arrives_and_what_is_fetched_lies_beside_the_vault_s_objects() {
    let (vault, hub, url) = two();
    let repo = vault.open(Faults::none());
    {
        let staging = repo.staging().unwrap();
        assert_eq!(fs::metadata(staging.dir()).unwrap().mode() & 0o777, 0o700);
        assert!(matches!(repo.staging(), Err(StagingError::Busy)));
        assert!(push_all(&repo, &staging, &url).succeeded);
        let own: BTreeMap<String, Oid> = repo.refs("refs/heads/").unwrap().into_iter().collect();
        assert_eq!(listed(&staging, &url).branches, own);
    }
    assert!(!vault.dir().join("strongroom.syncing").exists());
    // Another clone goes on.
    let clone = vault.folder.path().join("clone");
    vault.git(&[
        "clone",
        "--quiet",
        "--mirror",
        hub.to_str().unwrap(),
        clone.to_str().unwrap(),
    ]);
    let clone = Repo::open(&clone, settings(Faults::none())).unwrap();
    let lock = clone.lock(PATIENCE).unwrap();
    clone.make_journal(&lock).unwrap();
    clone.recover(&lock).unwrap();
    let batch = make_batch(&clone, 6);
    let _ = clone.commit(&lock, &batch).unwrap().record();
    drop(lock);
    let theirs = clone.staging().unwrap();
    assert!(push_all(&clone, &theirs, &url).succeeded);
    // Only what is new comes here.
    let staging = repo.staging().unwrap();
    let patterns = ["refs/heads/audit/*", "refs/heads/notes/*"];
    let job = GitJob::fetch(staging.dir(), &url, &patterns, &["refs/heads/notes/01"], 1 << 20);
    let ended = job.run(false, &|_| {}).unwrap();
    assert!(ended.succeeded, "{}", said(&ended.errors));
    let fetched = staging.open(settings(Faults::none())).unwrap();
    assert_eq!(fetched.oddities(), []);
    let names: Vec<String> = fetched
        .refs("refs/heads/")
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(names.contains(&"refs/heads/audit/a-1".to_owned()) && !names.contains(&"refs/heads/notes/01".to_owned()));
    let new = fetched.ref_target("refs/heads/audit/a-1").unwrap().unwrap();
    assert!(!repo.contains(new) && fetched.contains(new));
    let commit = fetched.read_commit(new, MAX).unwrap();
    // What it goes on from is the vault's, read through the staging, alone and by many.
    let fetched = fetched.with_packs();
    for reader in fetched.readers(2).unwrap().iter().chain([&fetched]) {
        reader.read_commit(new, MAX).unwrap();
        reader.read_commit(commit.parents[0], MAX).unwrap();
    }
    let objects: u64 = fetched
        .count_objects()
        .map(|(loose, packs)| (loose + packs) as u64)
        .unwrap();
    assert_eq!(objects, 1, "one pack");
    // Seen as any other repository it borrows, and is refused.
    let plain = Repo::open_to_verify(staging.dir(), settings(Faults::none())).unwrap();
    assert_eq!(plain.oddities(), [Oddity::Borrowed]);
}

#[test]
fn a_fetch_begins_with_what_the_vault_has_too_and_without_where_that_leads_nowhere() {
    let (vault, _, url) = two();
    let repo = vault.open(Faults::none());
    let staging = repo.staging().unwrap();
    assert!(push_all(&repo, &staging, &url).succeeded);
    let all: BTreeMap<String, Oid> = repo.refs("refs/heads/").unwrap().into_iter().collect();
    let fetch = |staging: &Staging| {
        let patterns = ["refs/heads/audit/*", "refs/heads/notes/*"];
        let job = GitJob::fetch(staging.dir(), &url, &patterns, &[], 1 << 20);
        job.run(false, &|_| {}).unwrap().succeeded
    };
    let found = |staging: &Staging| -> BTreeMap<String, Oid> {
        let opened = staging.open(settings(Faults::none())).unwrap();
        opened.refs("refs/heads/").unwrap().into_iter().collect()
    };
    staging.begin_with(&all).unwrap();
    assert!(fetch(&staging));
    assert_eq!(found(&staging), all);
    assert!(!staging.dir().join("refs/heads/notes").exists(), "nothing was written");
    drop(staging);
    // What another program has removed meanwhile.
    let staging = repo.staging().unwrap();
    let mut gone = all.clone();
    gone.insert("refs/heads/notes/00".into(), Oid([7; 20]));
    staging.begin_with(&gone).unwrap();
    assert!(!fetch(&staging));
    staging.begin_with_none().unwrap();
    assert!(fetch(&staging));
    assert_eq!(found(&staging), all);
}

#[test]
fn what_goes_on_from_what_is_gone_is_dropped_before_a_push_and_nothing_else_is() {
    let (vault, hub, url) = two();
    let repo = vault.open(Faults::none());
    assert!(push_all(&repo, &repo.staging().unwrap(), &url).succeeded);
    let name = "refs/heads/notes/00";
    let old = repo.ref_target(name).unwrap().unwrap();
    // Another clone goes on from there.
    let tree = vault.git(&["rev-parse", &format!("{old}^{{tree}}")]);
    let further = vault.git(&["commit-tree", tree.trim(), "-p", &old.to_string(), "-m", "keep"]);
    let further: Oid = further.trim().parse().unwrap();
    vault.git(&["push", "--quiet", hub.to_str().unwrap(), &format!("{further}:{name}")]);
    let remove = |oid: Oid| fs::remove_file(loose::loose_path(&vault.dir(), oid)).unwrap();
    remove(further);
    let staging = repo.staging().unwrap();
    let job = GitJob::fetch(staging.dir(), &url, &["refs/heads/notes/*"], &[], 1 << 20);
    assert!(job.run(false, &|_| {}).unwrap().succeeded);
    let has = || staging.open(settings(Faults::none())).unwrap().contains(further);
    staging.drop_what_is_torn(&[further], settings(Faults::none())).unwrap();
    assert!(has(), "all of its history is there");
    staging
        .drop_what_is_torn(&[Oid([7; 20])], settings(Faults::none()))
        .unwrap();
    assert!(has(), "what is not there is not looked at");
    // The branch begins anew here, and what it was is gone.
    let anew = vault.git(&["commit-tree", tree.trim(), "-m", "forget"]);
    let anew: Oid = anew.trim().parse().unwrap();
    vault.git(&["update-ref", name, &anew.to_string()]);
    remove(old);
    let moves = [PushedRef {
        name: name.into(),
        seen: Some(further),
        new: anew,
        forced: true,
    }];
    let push = || {
        GitJob::push(staging.dir(), &url, &moves)
            .run(false, &|_| {})
            .unwrap()
            .succeeded
    };
    staging.drop_what_is_torn(&[further], settings(Faults::none())).unwrap();
    assert!(!has());
    assert!(push());
    assert_eq!(listed(&staging, &url).branches[name], anew);
}

#[test]
fn a_staging_that_borrows_elsewhere_too_is_odd() {
    let (vault, ..) = two();
    let repo = vault.open(Faults::none());
    let staging = repo.staging().unwrap();
    let path = staging.dir().join("objects/info/alternates");
    let lent = fs::read_to_string(&path).unwrap();
    assert_eq!(staging.open(settings(Faults::none())).unwrap().oddities(), []);
    fs::write(&path, format!("{lent}/elsewhere\n")).unwrap();
    assert_eq!(
        staging.open(settings(Faults::none())).unwrap().oddities(),
        [Oddity::Borrowed]
    );
}

#[test]
fn what_a_killed_run_left_is_found_and_removed() {
    let (vault, ..) = two();
    let repo = vault.open(Faults::none());
    let left = vault.dir().join("strongroom.syncing");
    std::mem::forget(repo.staging().unwrap());
    // Its owner still lives.
    assert_eq!(repo.remains().unwrap().half_written, Vec::<PathBuf>::new());
    drop(repo);
    fs::remove_file(vault.dir().join("strongroom.sync.lock")).unwrap();
    let repo = vault.open(Faults::none());
    assert_eq!(repo.remains().unwrap().half_written, std::slice::from_ref(&left));
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    repo.clear_remains(&lock).unwrap();
    assert!(!left.exists());
    fs::create_dir(&left).unwrap();
    drop(repo.staging().unwrap());
    assert!(!left.exists());
}

#[test]
fn a_fetch_is_stopped_where_there_is_no_end_to_it() {
    let (vault, _, url) = two();
    let repo = vault.open(Faults::none());
    assert!(push_all(&repo, &repo.staging().unwrap(), &url).succeeded);
    let empty = Vault::new();
    let staging = empty.open(Faults::none()).staging().unwrap();
    let job = GitJob::fetch(staging.dir(), &url, &["refs/heads/audit/*"], &[], 100);
    let ended = job.run(false, &|_| {}).unwrap();
    assert!(ended.stopped && !ended.succeeded);
}

#[test]
fn a_lease_that_no_longer_holds_and_a_history_that_does_not_go_on_move_nothing() {
    let (vault, _, url) = two();
    let repo = vault.open(Faults::none());
    let staging = repo.staging().unwrap();
    assert!(push_all(&repo, &staging, &url).succeeded);
    let before = listed(&staging, &url);
    let (audit, shard) = ("refs/heads/audit/a-1".to_owned(), "refs/heads/notes/00".to_owned());
    let (head, other) = (before.branches[&audit], before.branches["refs/heads/notes/02"]);
    let older = repo.read_commit(head, MAX).unwrap().parents[0];
    let moved = |name: &String, seen, new, forced| PushedRef {
        name: name.clone(),
        seen,
        new,
        forced,
    };
    for moves in [
        vec![
            moved(&shard, Some(other), head, true),
            moved(&"refs/heads/audit/b-1".to_owned(), None, head, false),
        ],
        vec![
            moved(&audit, Some(head), older, false),
            moved(&shard, Some(before.branches[&shard]), head, true),
        ],
    ] {
        let ended = GitJob::push(staging.dir(), &url, &moves).run(false, &|_| {}).unwrap();
        assert!(!ended.succeeded);
        assert_eq!(listed(&staging, &url), before);
    }
}

#[test]
fn nothing_that_is_configured_beside_it_runs() {
    let (vault, hub, url) = two();
    let repo = vault.open(Faults::none());
    let mark = vault.folder.path().join("ran");
    let hook = format!("#!/bin/sh\ntouch '{}'\n", mark.display());
    let hooks = vault.dir().join("hooks");
    for hooks in [&hooks, &hub.join("hooks")] {
        fs::create_dir_all(hooks).unwrap();
        for name in [
            "pre-push",
            "reference-transaction",
            "post-merge",
            "pre-receive",
            "update",
            "post-receive",
        ] {
            fs::write(hooks.join(name), &hook).unwrap();
            fs::set_permissions(hooks.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
    }
    let lent = format!("{}/objects\n", vault.dir().display());
    fs::write(hub.join("objects/info/alternates"), lent).unwrap();
    // Neither the vault's configuration nor the other's is asked.
    for dir in [&vault.dir(), &hub] {
        let config = dir.join("config");
        let text = fs::read_to_string(&config).unwrap();
        let extra = format!(
            "[core]\n\tsshCommand = touch {0}\n\tfsmonitor = touch {0}\n\thooksPath = {1}\n\talternateRefsCommand = touch \
             {0};:\n[uploadpack]\n\tpackObjectsHook = touch {0}\n[gc]\n\trecentObjectsHook = touch {0}\n\tauto = 1\n",
            mark.display(),
            hooks.display()
        );
        fs::write(&config, text + &extra).unwrap();
    }
    let staging = repo.staging().unwrap();
    assert!(push_all(&repo, &staging, &url).succeeded);
    let job = GitJob::fetch(staging.dir(), &url, &["refs/heads/audit/*"], &[], 1 << 20);
    assert!(job.run(false, &|_| {}).unwrap().succeeded);
    assert!(!mark.exists());
}

#[test]
fn a_folder_that_would_check_out_what_is_pushed_takes_nothing() {
    let (vault, hub, url) = two();
    let repo = vault.open(Faults::none());
    let staging = repo.staging().unwrap();
    let mark = vault.folder.path().join("ran");
    let work = vault.folder.path().join("work");
    fs::create_dir(&work).unwrap();
    let config = hub.join("config");
    let text = fs::read_to_string(&config)
        .unwrap()
        .replace("bare = true", "bare = false");
    let extra = format!(
        "[core]\n\tworktree = {}\n[receive]\n\tdenyCurrentBranch = updateInstead\n[filter \"x\"]\n\tsmudge = touch {}\n",
        work.display(),
        mark.display()
    );
    fs::write(&config, text + &extra).unwrap();
    fs::write(hub.join("info/attributes"), "* filter=x\n").unwrap();
    let (pushed, _) = repo.refs("refs/heads/notes/").unwrap().remove(0);
    fs::write(hub.join("HEAD"), format!("ref: {pushed}\n")).unwrap();
    assert!(!push_all(&repo, &staging, &url).succeeded);
    assert!(!mark.exists() && fs::read_dir(&work).unwrap().next().is_none());
}

#[test]
fn remotes_stand_where_stock_git_sees_them() {
    let (vault, hub, url) = two();
    let repo = vault.open(Faults::none());
    assert_eq!(repo.remotes().unwrap(), []);
    repo.add_remote("origin", &url).unwrap();
    assert!(matches!(repo.add_remote("origin", &url), Err(RemoteError::Exists(_))));
    let other = RemoteUrl::parse("git@hub.example:a \"b\" # c.git").unwrap();
    repo.add_remote("stick", &other).unwrap();
    assert_eq!(
        repo.remotes().unwrap(),
        [("origin".to_owned(), url), ("stick".to_owned(), other.clone())]
    );
    assert_eq!(
        vault.git(&["remote", "get-url", "origin"]).trim(),
        hub.to_str().unwrap()
    );
    assert_eq!(vault.git(&["remote", "get-url", "stick"]).trim(), other.as_str());
    assert_eq!(fs::metadata(vault.dir().join("config")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(vault.git(&["config", "core.logAllRefUpdates"]).trim(), "false");
    repo.remove_remote("origin").unwrap();
    assert!(matches!(repo.remove_remote("origin"), Err(RemoteError::Missing(_))));
    for bad in ["", "Origin", "a.b", "-x", "a b", "1", "url\"]\n[core"] {
        assert!(
            matches!(repo.add_remote(bad, &other), Err(RemoteError::Name(_))),
            "{bad}"
        );
    }
    // What somebody else wrote there is read as strictly.
    vault.git(&["config", "remote.evil.url", "ext::sh -c id"]);
    assert!(matches!(repo.remotes(), Err(RemoteError::Url { .. })));
}

#[test]
fn a_lock_that_a_killed_program_left_is_in_the_way_for_a_moment_alone() {
    let (vault, _, url) = two();
    let repo = vault.open(Faults::none());
    let path = vault.dir().join("config.lock");
    let lock = fs::File::create(&path).unwrap();
    // It may be somebody's.
    assert!(matches!(repo.add_remote("hub", &url), Err(RemoteError::Locked)));
    assert!(path.exists() && repo.remotes().unwrap().is_empty());
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(11);
    lock.set_modified(before).unwrap();
    repo.add_remote("hub", &url).unwrap();
    assert!(!path.exists());
    assert_eq!(repo.remotes().unwrap(), [("hub".to_owned(), url)]);
}
