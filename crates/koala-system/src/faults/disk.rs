//! What is on a disk: folders as names of nodes, files as bytes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Result;
use std::path::Path;

/// A file or folder, whatever its name is.
pub(super) type Node = usize;

/// The folder that all is in.
pub(super) const ROOT: Node = 0;

#[derive(Debug, Clone)]
enum Content {
    Folder(BTreeMap<OsString, Node>),
    File(Vec<u8>),
}

/// What is on a disk. Nodes stay when their names go.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    nodes: Vec<Content>,
}

impl Disk {
    /// What is in a folder; links and what else is no file are left out.
    pub(super) fn of(root: &Path) -> Result<Self> {
        let mut disk = Self {
            nodes: vec![Content::Folder(BTreeMap::new())],
        };
        disk.take(ROOT, root)?;
        Ok(disk)
    }

    fn take(&mut self, node: Node, path: &Path) -> Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let inner = if kind.is_dir() {
                let inner = self.folder();
                self.take(inner, &entry.path())?;
                inner
            } else if kind.is_file() {
                let inner = self.file();
                self.write(inner, 0, &fs::read(entry.path())?);
                inner
            } else {
                continue;
            };
            self.name(node, &entry.file_name(), Some(inner));
        }
        Ok(())
    }

    /// A new folder without a name.
    pub(super) fn folder(&mut self) -> Node {
        self.nodes.push(Content::Folder(BTreeMap::new()));
        self.nodes.len() - 1
    }

    /// A new file without a name.
    pub(super) fn file(&mut self) -> Node {
        self.nodes.push(Content::File(Vec::new()));
        self.nodes.len() - 1
    }

    /// What has this path.
    pub(super) fn find(&self, path: &Path) -> Option<Node> {
        path.iter()
            .try_fold(ROOT, |node, name| self.within(node, name))
    }

    fn within(&self, folder: Node, name: &OsStr) -> Option<Node> {
        match self.nodes.get(folder) {
            Some(Content::Folder(names)) => names.get(name).copied(),
            _ => None,
        }
    }

    /// The folder that a path is in, and its name there.
    pub(super) fn parent<'a>(&self, path: &'a Path) -> Option<(Node, &'a OsStr)> {
        Some((self.find(path.parent()?)?, path.file_name()?))
    }

    /// Gives a name in a folder to a node, or takes it away.
    pub(super) fn name(&mut self, folder: Node, name: &OsStr, node: Option<Node>) {
        if let Some(Content::Folder(names)) = self.nodes.get_mut(folder) {
            match node {
                Some(node) => names.insert(name.to_owned(), node),
                None => names.remove(name),
            };
        }
    }

    /// Writes at a place of a file; what is between its end and there is zero.
    pub(super) fn write(&mut self, file: Node, at: usize, content: &[u8]) {
        if let Some(Content::File(bytes)) = self.nodes.get_mut(file) {
            let end = at + content.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[at..end].copy_from_slice(content);
        }
    }

    pub(super) fn cut(&mut self, file: Node, length: usize) {
        if let Some(Content::File(bytes)) = self.nodes.get_mut(file) {
            bytes.resize(length, 0);
        }
    }

    /// Leaves the nodes of another, all without names and content, which is what it had of them before.
    pub(super) fn emptied(&self, before: &Self) -> Self {
        let mut disk = before.clone();
        for node in &self.nodes[before.nodes.len()..] {
            match node {
                Content::Folder(_) => disk.folder(),
                Content::File(_) => disk.file(),
            };
        }
        disk
    }

    /// Puts what has a name into a folder.
    pub(super) fn put(&self, node: Node, path: &Path) -> Result<()> {
        match self.nodes.get(node) {
            Some(Content::File(bytes)) => fs::write(path, bytes),
            Some(Content::Folder(names)) => {
                fs::create_dir_all(path)?;
                let mut names = names.iter();
                names.try_for_each(|(name, node)| self.put(*node, &path.join(name)))
            }
            None => Ok(()),
        }
    }

    /// What has a name, by its path below a folder; of folders nothing.
    pub(super) fn named(&self, node: Node, path: &Path) -> BTreeMap<OsString, Option<&[u8]>> {
        match self.nodes.get(node) {
            Some(Content::File(bytes)) => {
                BTreeMap::from([(path.as_os_str().to_owned(), Some(bytes.as_slice()))])
            }
            Some(Content::Folder(names)) => {
                let mut all = BTreeMap::from([(path.as_os_str().to_owned(), None)]);
                for (name, node) in names {
                    all.extend(self.named(*node, &path.join(name)));
                }
                all
            }
            None => BTreeMap::new(),
        }
    }
}
