//! Getting published files into a folder, each whole and compared with its checksum.

use std::path::{Path, PathBuf};

use koala_system::{make_folders, remove_file, rename, sync_folder};

use super::checksum::sha256;
use super::download::{Download, agent};
use super::unpack::unpack;
use super::{FetchError, Packing, RemoteFile, Watcher};
use crate::Interrupt;

/// Downloads files into a folder, those that are not there already, and unpacks archives: what [`fetch`](super::fetch)
/// promises of each file. Returns where they are.
///
/// # Errors
///
/// [`FetchError`].
pub(super) fn files(
    folder: &Path,
    files: &[RemoteFile],
    mirror: Option<&str>,
    watcher: &mut dyn Watcher,
    interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, FetchError> {
    make_folders(folder).map_err(FetchError::file(folder, "make it"))?;
    let agent = agent(mirror.is_none());
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let path = folder.join(file.name);
        let url = match mirror {
            None => file.url.to_owned(),
            Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), file.name),
        };
        if !is_published(file, &path)? {
            let part = folder.join(format!("{}.part", file.name));
            Download {
                agent: &agent,
                url: &url,
                size: file.size,
                part: &part,
                interrupt,
            }
            .run(watcher)?;
            let found = sha256(&part).map_err(FetchError::file(&part, "read it"))?;
            if found != file.sha256 {
                remove_file(&part).map_err(FetchError::file(&part, "remove it"))?;
                return Err(FetchError::Checksum {
                    url,
                    expected: file.sha256.to_owned(),
                    found,
                });
            }
            let place = || {
                rename(&part, &path)?;
                sync_folder(folder)
            };
            place().map_err(FetchError::file(&path, "write it"))?;
        }
        if file.packing != Packing::Plain {
            unpack(file.packing, &path, folder)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Whether the published file is there already.
fn is_published(file: &RemoteFile, path: &Path) -> Result<bool, FetchError> {
    if !path.is_file() {
        return Ok(false);
    }
    let found = sha256(path).map_err(FetchError::file(path, "read it"))?;
    Ok(found == file.sha256)
}

#[cfg(test)]
mod tests {
    use super::super::server::{Manner, Server};
    use super::*;
    use crate::sample::gzip;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};
    use std::fs;
    use tempfile::TempDir;

    /// Counts what comes, and stops after so many bytes.
    #[derive(Default)]
    struct Count {
        begun: Vec<(u64, Option<u64>)>,
        come: u64,
        stop: Option<(u64, Interrupt)>,
    }

    impl Watcher for Count {
        fn begin(&mut self, _: &str, have: u64, total: Option<u64>) {
            self.begun.push((have, total));
        }

        fn advance(&mut self, bytes: u64) {
            self.come += bytes;
            if let Some((after, interrupt)) = &self.stop
                && self.come >= *after
            {
                interrupt.set();
            }
        }
    }

    /// A published file; tests may leak what a static one would hold.
    fn remote(name: &'static str, content: &[u8], packing: Packing) -> RemoteFile {
        let digits: String = Sha256::digest(content)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        RemoteFile {
            name,
            url: "https://example.org/never-asked",
            size: Some(content.len() as u64),
            sha256: digits.leak(),
            packing,
        }
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * i % 251) as u8).collect()
    }

    fn get(
        folder: &TempDir,
        file: RemoteFile,
        server: &Server,
        count: &mut Count,
    ) -> Result<Vec<PathBuf>, String> {
        files(
            folder.path(),
            &[file],
            Some(&server.url),
            count,
            &Interrupt::default(),
        )
        .map_err(|e| e.to_string())
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_comes_whole_and_is_not_got_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = content(200_000);
        let file = remote("a.bin", &data, Packing::Plain);
        let server = Server::new(&[("a.bin", &data, Manner::Ranges)]);
        let mut count = Count::default();
        let paths = get(&folder, file, &server, &mut count).unwrap();
        assert_eq!(paths, [folder.path().join("a.bin")]);
        assert_eq!(
            (count.begun, count.come),
            (vec![(0, Some(200_000))], 200_000)
        );
        assert!(fs::read(&paths[0]).unwrap() == data);
        get(&folder, file, &server, &mut Count::default()).unwrap();
        assert_eq!(*server.asked.lock().unwrap(), ["/a.bin"]);
        assert_eq!(names(&folder), ["a.bin"]);
        // Another file under the name is replaced.
        fs::write(&paths[0], "other").unwrap();
        get(&folder, file, &server, &mut Count::default()).unwrap();
        assert!(fs::read(&paths[0]).unwrap() == data);
    }

    #[test]
    fn a_part_is_gone_on_with() {
        for manner in [
            Manner::Ranges,
            Manner::Whole,
            Manner::WrongRange,
            Manner::NoRange,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let data = content(100_000);
            let file = remote("a.bin", &data, Packing::Plain);
            fs::write(folder.path().join("a.bin.part"), &data[..60_000]).unwrap();
            let server = Server::new(&[("a.bin", &data, manner)]);
            let mut count = Count::default();
            let paths = get(&folder, file, &server, &mut count).unwrap();
            assert!(fs::read(&paths[0]).unwrap() == data, "{manner:?}");
            assert_eq!(names(&folder), ["a.bin"]);
            assert_eq!(server.asked.lock().unwrap()[0], "/a.bin from 60000");
            let come = if manner == Manner::Ranges {
                40_000
            } else {
                100_000
            };
            assert_eq!(count.come, come, "{manner:?}");
        }
    }

    #[test]
    fn a_part_longer_than_the_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let data = content(17);
        fs::write(folder.path().join("a.bin.part"), content(23)).unwrap();
        let server = Server::new(&[("a.bin", &data, Manner::Ranges)]);
        let file = remote("a.bin", &data, Packing::Plain);
        let fetched = get(&folder, file, &server, &mut Count::default()).unwrap();
        assert!(fs::read(&fetched[0]).unwrap() == data);
        assert_eq!(*server.asked.lock().unwrap(), ["/a.bin from 23", "/a.bin"]);
    }

    #[test]
    fn a_whole_part_needs_no_request() {
        let folder = tempfile::tempdir().unwrap();
        let data = content(1_000);
        fs::write(folder.path().join("a.bin.part"), &data).unwrap();
        let server = Server::new(&[]);
        let file = remote("a.bin", &data, Packing::Plain);
        get(&folder, file, &server, &mut Count::default()).unwrap();
        assert_eq!(
            (names(&folder), server.asked.lock().unwrap().len()),
            (vec!["a.bin".to_owned()], 0)
        );
    }

    #[test]
    fn a_connection_that_breaks_is_taken_up_again() {
        let data = content(100_000);
        let file = remote("a.bin", &data, Packing::Plain);
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(&[("a.bin", &data, Manner::Breaks(30_000))]);
        get(&folder, file, &server, &mut Count::default()).unwrap();
        let asked = [
            "/a.bin",
            "/a.bin from 30000",
            "/a.bin from 60000",
            "/a.bin from 90000",
        ];
        assert_eq!(*server.asked.lock().unwrap(), asked);

        // One that always breaks at once is given up, and what has come is kept.
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(&[("a.bin", &data, Manner::Breaks(1_000))]);
        let text = get(&folder, file, &server, &mut Count::default()).unwrap_err();
        assert!(
            text.contains("the same command goes on from there"),
            "{text}"
        );
        assert_eq!(
            fs::read(folder.path().join("a.bin.part")).unwrap(),
            data[..5_000]
        );
        assert_eq!(names(&folder), ["a.bin.part"]);
    }

    #[test]
    fn another_content_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let data = content(1_000);
        let mut other = data.clone();
        other[500] ^= 1;
        let server = Server::new(&[("a.bin", &other, Manner::Ranges)]);
        let file = remote("a.bin", &data, Packing::Plain);
        let text = get(&folder, file, &server, &mut Count::default()).unwrap_err();
        assert!(
            text.contains(&format!("expected SHA-256 {}, found ", file.sha256)),
            "{text}"
        );
        assert!(names(&folder).is_empty());
    }

    #[test]
    fn more_than_the_file_has_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(&[("a.bin", &content(1_001), Manner::Ranges)]);
        let file = remote("a.bin", &content(1_000), Packing::Plain);
        let text = get(&folder, file, &server, &mut Count::default()).unwrap_err();
        assert!(text.contains("expected 1000 bytes, found more"), "{text}");
        assert!(names(&folder).is_empty());
    }

    /// A shorter file that comes whole is no connection that broke: to ask again for its rest would never end.
    #[test]
    fn a_shorter_file_is_refused_as_such_and_the_next_try_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let data = content(1_000);
        let file = remote("a.bin", &data, Packing::Plain);
        let server = Server::new(&[("a.bin", &data[..900], Manner::Ranges)]);
        for begun in [0, 300, 900, 950] {
            fs::write(folder.path().join("a.bin.part"), &data[..begun]).unwrap();
            let text = get(&folder, file, &server, &mut Count::default()).unwrap_err();
            assert!(
                text.contains("expected 1000 bytes, and the host has 900"),
                "{begun}: {text}"
            );
            assert!(names(&folder).is_empty(), "{begun}");
        }
        let server = Server::new(&[("a.bin", &data, Manner::Ranges)]);
        get(&folder, file, &server, &mut Count::default()).unwrap();
        assert_eq!(*server.asked.lock().unwrap(), ["/a.bin"]);
    }

    #[test]
    fn a_file_of_unknown_size_does_not_come_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let file = RemoteFile {
            size: None,
            ..remote("a.bin", &content(10), Packing::Plain)
        };
        let server = Server::new(&[("a.bin", &[], Manner::Endless(1 << 27))]);
        let mut count = Count::default();
        let text = get(&folder, file, &server, &mut count).unwrap_err();
        assert!(
            text.contains("expected 67108864 bytes, found more"),
            "{text}"
        );
        assert!(count.come <= 1 << 26, "{}", count.come);
        assert!(names(&folder).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_downloaded_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("foreign");
        let data = content(1_000);
        let file = remote("a.bin", &data, Packing::Plain);
        let server = Server::new(&[("a.bin", &data, Manner::Ranges)]);
        for precious in ["precious", ""] {
            fs::write(&foreign, precious).unwrap();
            std::os::unix::fs::symlink(&foreign, folder.path().join("a.bin.part")).unwrap();
            let _ = get(&folder, file, &server, &mut Count::default());
            assert_eq!(fs::read_to_string(&foreign).unwrap(), precious);
            let _ = fs::remove_file(folder.path().join("a.bin.part"));
        }
    }

    #[test]
    fn a_host_without_the_file_and_no_host_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::new(&[]);
        let file = remote("a.bin", &content(10), Packing::Plain);
        let text = get(&folder, file, &server, &mut Count::default()).unwrap_err();
        assert!(text.contains("/a.bin: the host answered 404"), "{text}");
        server.url = "http://127.0.0.1:1/".to_owned();
        let text = get(&folder, file, &server, &mut Count::default()).unwrap_err();
        assert!(text.starts_with("http://127.0.0.1:1/a.bin: "), "{text}");
        assert!(names(&folder).is_empty());
    }

    #[test]
    fn an_interrupt_keeps_the_part() {
        let folder = tempfile::tempdir().unwrap();
        let data = content(5_000_000);
        let file = remote("a.bin", &data, Packing::Plain);
        let server = Server::new(&[("a.bin", &data, Manner::Ranges)]);
        let interrupt = Interrupt::default();
        let mut count = Count {
            stop: Some((1_000_000, interrupt.clone())),
            ..Count::default()
        };
        let stopped = files(
            folder.path(),
            &[file],
            Some(&server.url),
            &mut count,
            &interrupt,
        );
        assert!(matches!(stopped, Err(FetchError::Interrupted { .. })));
        let kept = fs::read(folder.path().join("a.bin.part")).unwrap();
        assert!(kept.len() >= 1_000_000 && kept.len() < data.len());
        assert!(kept == data[..kept.len()]);
        get(&folder, file, &server, &mut Count::default()).unwrap();
        assert!(fs::read(folder.path().join("a.bin")).unwrap() == data);
    }

    #[test]
    fn archives_are_unpacked_and_kept() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, "d/x.bin", &b"abc"[..])
            .unwrap();
        let archive = gzip(&builder.into_inner().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(&[("a.tar.gz", &archive, Manner::Ranges)]);
        let file = remote("a.tar.gz", &archive, Packing::TarGz);
        get(&folder, file, &server, &mut Count::default()).unwrap();
        assert_eq!(names(&folder), ["a.tar.gz", "d"]);
        assert_eq!(fs::read(folder.path().join("d/x.bin")).unwrap(), b"abc");
        // What has gone missing comes back from the archive.
        fs::remove_file(folder.path().join("d/x.bin")).unwrap();
        get(&folder, file, &Server::new(&[]), &mut Count::default()).unwrap();
        assert_eq!(fs::read(folder.path().join("d/x.bin")).unwrap(), b"abc");
    }

    /// An archive of two files, in a folder that has an older one of one of them.
    #[test]
    fn whatever_fails_or_crashes_leaves_old_or_new_files_and_the_next_try_is_whole() {
        use koala_system::faults::{Fault, Loss, failing, recording};
        let [new, old] = [content(3_000), content(40)];
        let mut builder = tar::Builder::new(Vec::new());
        for name in ["d/x.bin", "d/e/y.bin"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(new.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &new[..]).unwrap();
        }
        let archive = gzip(&builder.into_inner().unwrap()).unwrap();
        let server = Server::new(&[("a.tar.gz", &archive, Manner::Ranges)]);
        let file = remote("a.tar.gz", &archive, Packing::TarGz);
        let before = || {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("d")).unwrap();
            fs::write(folder.path().join("d/x.bin"), &old).unwrap();
            folder
        };
        let mut tried = 0;
        let mut fetched_again = |folder: &TempDir| {
            let found = |name: &str| fs::read(folder.path().join(name)).ok();
            let x = found("d/x.bin").unwrap();
            assert!(x == old || x == new);
            assert!(found("d/e/y.bin").is_none_or(|y| y == new));
            assert!(found("a.tar.gz").is_none_or(|found| found == archive));
            // A part that a crash has changed is found out by its checksum, and the try after that begins anew.
            if let Err(text) = get(folder, file, &server, &mut Count::default()) {
                assert!(text.contains("expected SHA-256"), "{text}");
                get(folder, file, &server, &mut Count::default()).unwrap();
            }
            assert!(found("d/x.bin").unwrap() == new && found("d/e/y.bin").unwrap() == new);
            assert_eq!(names(folder), ["a.tar.gz", "d"]);
            tried += 1;
        };
        let torn = |at| Fault::killed(at).torn();
        for fault in [Fault::once, Fault::killed, torn, Fault::full, Fault::broken] {
            for at in 1.. {
                let folder = before();
                let (outcome, operations) = failing(folder.path(), fault(at), || {
                    get(&folder, file, &server, &mut Count::default())
                });
                let done = operations < at;
                // What was unpacked beside may stay: it is in nobody's way.
                assert!(outcome.is_ok() || !done, "{outcome:?}");
                if outcome.is_ok() {
                    assert!(fs::read(folder.path().join("d/e/y.bin")).unwrap() == new);
                }
                fetched_again(&folder);
                if done {
                    assert!(at > 25, "{at}");
                    break;
                }
            }
        }
        let folder = before();
        let (done, journal) = recording(folder.path(), || {
            get(&folder, file, &server, &mut Count::default())
        });
        done.unwrap();
        assert!(journal.is_all_of(folder.path()).unwrap());
        let plain = [Loss::None, Loss::All, Loss::Content, Loss::Names];
        for loss in plain.into_iter().chain((0..8).map(Loss::Random)) {
            for crash in 0..=journal.len() {
                let after = tempfile::tempdir().unwrap();
                journal.after_crash(crash, loss, after.path()).unwrap();
                fetched_again(&after);
            }
            // What was said to be there is there.
            let after = tempfile::tempdir().unwrap();
            journal
                .after_crash(journal.len(), loss, after.path())
                .unwrap();
            for name in ["d/x.bin", "d/e/y.bin"] {
                assert!(
                    fs::read(after.path().join(name)).unwrap() == new,
                    "{loss:?}"
                );
            }
        }
        println!("{} operations, {tried} states of a folder", journal.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_part_leads_to_the_whole_file(length in 1usize..3000, part in proptest::collection::vec(any::<u8>(), 0..40), cut in 0usize..4000) {
            // The beginning of the file, or something else altogether: the second try is right at the latest.
            let data = content(length);
            let folder = tempfile::tempdir().unwrap();
            let begun = if cut % 2 == 0 { data[..cut.min(length)].to_vec() } else { part };
            fs::write(folder.path().join("a.bin.part"), begun).unwrap();
            let server = Server::new(&[("a.bin", &data, Manner::Ranges)]);
            let file = remote("a.bin", &data, Packing::Plain);
            let first = get(&folder, file, &server, &mut Count::default());
            if first.is_err() {
                get(&folder, file, &server, &mut Count::default()).unwrap();
            }
            prop_assert!(fs::read(folder.path().join("a.bin")).unwrap() == data);
        }
    }
}
