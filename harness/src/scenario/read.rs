//! Reading a scenario and the system that it names.
//!
//! Every file is read four times over: for its size, for the positions of its keys, for its shape against the schema,
//! and into its type. What any of these finds is collected, then the rules of [`validate`](super::validate) follow.

use std::{
    io::ErrorKind,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::{
    Declared, Refusal, Refusals, Scenario, System,
    include::include_queries,
    locate::{self, Place, Tree},
    refusal::Severity,
    schema::{Kind, schema},
    shape::misshapes,
    system::Role,
    validate::{self, Note},
};
use crate::files::{self, Reach, ReachError};

/// Reads a scenario and its system, and validates them.
///
/// # Errors
/// Everything that is wrong with the two files.
pub fn read(scenario_file: &Path) -> Result<Declared, Refusals> {
    read_allowing(scenario_file, &[])
}

/// The same where the two may also name files in these folders.
///
/// # Errors
/// Everything that is wrong with the two files, or that a folder is not there.
pub fn read_allowing(scenario_file: &Path, folders: &[PathBuf]) -> Result<Declared, Refusals> {
    let reach = reach_of(scenario_file, Kind::Scenario, folders)?;
    let mut scenario = Source::<Scenario>::read(scenario_file, Kind::Scenario, &reach)?;
    let Some(named) = scenario.system_named() else { return Err(scenario.into_refusals()) };
    let system_file = beside(scenario_file, &named);
    let mut system = match Source::<System>::read(&system_file, Kind::System, &reach) {
        Ok(system) => system,
        Err(refusals) => {
            scenario.validate_alone();
            scenario.refuse_unreadable_system(refusals);
            return Err(scenario.into_refusals());
        }
    };
    if let (Some(declared), Some(system)) = (&scenario.typed, &mut system.typed) {
        apply(declared, system);
    }
    system.include(&reach);
    system.validate_alone(&reach);
    scenario.validate_alone();
    if let (Some(declared), Some(system)) = (&scenario.typed, &system.typed) {
        let notes = validate::together(declared, system);
        scenario.note(notes);
    }
    finish(scenario, system, reach)
}

/// Reads a system and validates it, with what is no reason to refuse it.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn read_system(system_file: &Path) -> Result<(System, Vec<Refusal>), Refusals> {
    read_system_allowing(system_file, &[]).map(|(system, _, warnings)| (system, warnings))
}

/// The same where it may also name files in these folders; and which files those are.
///
/// # Errors
/// Everything that is wrong with the file, or that a folder is not there.
pub fn read_system_allowing(
    system_file: &Path,
    folders: &[PathBuf],
) -> Result<(System, Reach, Vec<Refusal>), Refusals> {
    let reach = reach_of(system_file, Kind::System, folders)?;
    let mut source = Source::<System>::read(system_file, Kind::System, &reach)?;
    source.include(&reach);
    source.validate_alone(&reach);
    match source.typed.take() {
        Some(system) if source.is_clean() => Ok((system, reach, source.into_refusals().0)),
        _ => Err(source.into_refusals()),
    }
}

fn reach_of(file: &Path, kind: Kind, folders: &[PathBuf]) -> Result<Reach, Refusals> {
    Reach::of(file, folders).map_err(|error| {
        let (problem, mend) = unreadable(&error, kind);
        Refusals(vec![Refusal::of_file(file, problem, mend)])
    })
}

fn finish(mut scenario: Source<Scenario>, mut system: Source<System>, reach: Reach) -> Result<Declared, Refusals> {
    let is_clean = scenario.is_clean() && system.is_clean();
    let (scenario_file, system_file) = (scenario.file.clone(), system.file.clone());
    match (is_clean, scenario.typed.take(), system.typed.take()) {
        (true, Some(declared), Some(of)) => {
            let mut warnings = scenario.into_refusals().0;
            warnings.extend(system.into_refusals().0);
            Ok(Declared { scenario: declared, system: of, scenario_file, system_file, reach, warnings })
        }
        _ => {
            let mut refusals = scenario.into_refusals();
            refusals.0.extend(system.into_refusals().0);
            Err(refusals)
        }
    }
}

/// Applies to a system what a scenario changes about it.
fn apply(scenario: &Scenario, system: &mut System) {
    if let Some(replication) = scenario.replication {
        let standbys = system.nodes.iter_mut().filter(|node| node.role == Role::Standby);
        standbys.for_each(|node| node.replication = Some(replication));
    }
    if scenario.backups.is_empty() {
        system.leave_out_repositories();
    }
    let steps = || scenario.recovery.procedure.iter().chain(&scenario.recovery.afterwards);
    system.leave_out_spares(|name| steps().any(|step| step.kind.declared().restores_on() == Some(name)));
}

/// The most notes of one list that are given places.
const MOST_NOTES: usize = 1000;
/// The most refusals of one file that are told.
const MOST_TOLD: usize = 100;

/// A file while it is being read.
struct Source<T> {
    file: PathBuf,
    text: Arc<str>,
    typed: Option<T>,
    found: Vec<Refusal>,
}

impl<T: DeserializeOwned> Source<T> {
    /// Reads a file, as far as it goes.
    fn read(file: &Path, kind: Kind, reach: &Reach) -> Result<Self, Refusals> {
        let refused = |(problem, mend): (String, String)| Refusals(vec![Refusal::of_file(file, problem, mend)]);
        let text = read_text(file, kind, reach).map_err(refused)?;
        let mut source = Self { file: file.to_owned(), text: text.into(), typed: None, found: Vec::new() };
        let text = Arc::clone(&source.text);
        let tree = match Tree::read(&text) {
            Ok(tree) => tree,
            Err(error) => return Err(Refusals(vec![source.misread(&error, None)])),
        };
        for misshape in misshapes(&tree, &schema(kind)) {
            source.found.push(source.placed(&misshape.key, misshape.place, misshape.problem, misshape.mend));
        }
        match serde_saphyr::from_str_with_options::<T>(&text, locate::options()) {
            Ok(typed) => source.typed = Some(typed),
            Err(error) if source.found.is_empty() => source.found.push(source.misread(&error, Some(&tree))),
            // The shape already says it, and better.
            Err(_) => {}
        }
        Ok(source)
    }

    fn placed(&self, key: &str, place: Place, problem: String, mend: String) -> Refusal {
        let (problem, mend) = (shortened(problem), shortened(mend));
        Refusal {
            severity: Severity::Refused,
            file: self.file.clone(),
            key: key.to_owned(),
            position: Some((place.line, place.column)),
            span: Some(place.bytes),
            text: Some(Arc::clone(&self.text)),
            problem,
            mend,
        }
    }

    /// What the YAML reader says, as a refusal.
    fn misread(&self, error: &serde_saphyr::Error, tree: Option<&Tree<'_>>) -> Refusal {
        let message = error.to_string();
        let problem = message.lines().next().unwrap_or_default();
        let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
        let location = error.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
        // What is marked is the rest of the line: the reader's spans are those of single letters.
        let place = Place::at(&self.text, Place::of(&self.text, location).bytes.start, None);
        let key = tree.map(|tree| tree.path_to(place.bytes.start)).unwrap_or_default();
        let schema = "write what the schema says: see `blackstart schema`";
        let cause = match error.without_snippet() {
            serde_saphyr::Error::AliasError { error, .. } => error.without_snippet(),
            cause => cause,
        };
        let (problem, mend) = match cause {
            serde_saphyr::Error::MultipleDocuments { .. } => {
                ("a second document begins here".to_owned(), "keep one document in a file")
            }
            serde_saphyr::Error::Budget { .. } | serde_saphyr::Error::AliasReplayLimitExceeded { .. } => {
                (problem, "keep declarations small and shallow")
            }
            _ if tree.is_none() => {
                (format!("this is not YAML: {problem}"), "fix the text at this line, or just above it")
            }
            _ => message.split_once("; ").map_or((problem, schema), |(it, mend)| (it.to_owned(), mend)),
        };
        self.placed(&key, place, problem, mend.to_owned())
    }

    /// Gives notes their places, and keeps them.
    fn note(&mut self, notes: Vec<Note>) {
        let text = Arc::clone(&self.text);
        let Some(tree) = (!notes.is_empty()).then(|| Tree::read(&text).ok()).flatten() else { return };
        for note in notes.into_iter().take(MOST_NOTES) {
            let refusal = self.placed(&note.key, tree.locate(&note.key), note.problem, note.mend);
            self.found.push(Refusal { severity: note.severity, ..refusal });
        }
    }

    fn is_clean(&self) -> bool {
        self.found.iter().all(|refusal| refusal.severity == Severity::Warning)
    }

    /// Everything found, in the order of the file; of very much, the first.
    fn into_refusals(mut self) -> Refusals {
        self.found.sort_by_key(|refusal| refusal.position);
        self.found.dedup();
        let more = self.found.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            self.found.truncate(MOST_TOLD);
            let problem = format!("{more} more refusals of this file are not told here");
            self.found.push(Refusal::of_file(&self.file, problem, "mend these first, and ask again"));
        }
        Refusals(self.found)
    }
}

impl Source<Scenario> {
    /// The system's file as the scenario names it, even where the rest of the scenario cannot be used.
    fn system_named(&self) -> Option<String> {
        let tree = Tree::read(&self.text).ok()?;
        tree.scalar("system").filter(|name| !name.is_empty()).map(str::to_owned)
    }

    fn validate_alone(&mut self) {
        if let Some(scenario) = &self.typed {
            let mut notes = validate::scenario(scenario);
            notes.extend(validate::scenario_name(scenario, &self.file));
            self.note(notes);
        }
    }

    /// Where the system's file cannot be read at all, the scenario's line that names it is to blame.
    fn refuse_unreadable_system(&mut self, refusals: Refusals) {
        for refusal in refusals.0 {
            if refusal.position.is_some() {
                self.found.push(refusal);
            } else {
                let problem = format!("{}: {}", refusal.file.display(), refusal.problem);
                self.note(vec![Note::new("system", problem, refusal.mend)]);
            }
        }
    }
}

impl Source<System> {
    fn include(&mut self, reach: &Reach) {
        let folder = self.file.parent().unwrap_or(Path::new("")).to_owned();
        let notes = self.typed.as_mut().map(|system| include_queries(system, &folder, reach));
        self.note(notes.unwrap_or_default());
    }

    fn validate_alone(&mut self, reach: &Reach) {
        if let Some(system) = &self.typed {
            let mut notes = validate::system(system);
            notes.extend(validate::system_name(system, &self.file));
            notes.extend(missing_files(system, self.file.parent().unwrap_or(Path::new("")), reach));
            self.note(notes);
        }
    }
}

/// The text of a file, or what is wrong with it and the mend.
fn read_text(file: &Path, kind: Kind, reach: &Reach) -> Result<String, (String, String)> {
    let refuse = |problem: &str, mend: &str| Err((problem.to_owned(), mend.to_owned()));
    let name = kind.name();
    let bytes = match reach.read(file, files::DECLARATION) {
        Ok(bytes) => bytes,
        Err(ReachError::Unreadable(error)) => return Err(unreadable(&error, kind)),
        Err(outside) => return Err((outside.to_string(), outside.mend().unwrap_or_default())),
    };
    match String::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            refuse("it is empty", &format!("write a {name}: see `blackstart schema`"))
        }
        Ok(text) if text.contains('\0') => refuse("it is not text", &format!("name a {name} file")),
        Ok(text) => Ok(text),
        Err(_) => refuse("it is not text in UTF-8", &format!("name a {name} file, and save it as UTF-8")),
    }
}

/// A refusal quotes what it refuses, and that may be a book.
fn shortened(mut text: String) -> String {
    const MOST_BYTES: usize = 600;
    if text.len() > MOST_BYTES {
        let (head, tail) =
            (text.floor_char_boundary(MOST_BYTES / 2), text.ceil_char_boundary(text.len() - MOST_BYTES / 2));
        text = format!("{}[...]{}", &text[..head], &text[tail..]);
    }
    text
}

/// Why a file cannot be read, and the mend.
fn unreadable(error: &std::io::Error, kind: Kind) -> (String, String) {
    let name = kind.name();
    let (problem, mend) = match (error.kind(), kind) {
        // An allowed folder says itself that it is not there.
        (ErrorKind::NotFound, _) if error.get_ref().is_some() => (error.to_string(), "name an existing folder".into()),
        (ErrorKind::NotFound, Kind::Scenario) => {
            ("there is no such file".into(), format!("name an existing {name} file"))
        }
        (ErrorKind::NotFound, Kind::System) => (
            "there is no such file".into(),
            format!("name an existing {name} file; its path starts at the folder of the file that names it"),
        ),
        (ErrorKind::IsADirectory, _) => ("it is a folder".into(), format!("name a {name} file within it")),
        (ErrorKind::InvalidInput, _) => ("it is not a regular file".into(), format!("name a {name} file")),
        (ErrorKind::FileTooLarge, _) => {
            ("it is too large".into(), format!("a {name} has at most {} bytes", files::DECLARATION.most_bytes))
        }
        _ => (format!("it cannot be read: {error}"), "make it readable".into()),
    };
    (problem, mend)
}

/// The files and folders that a system names and that cannot be reached.
fn missing_files(system: &System, folder: &Path, reach: &Reach) -> Vec<Note> {
    let copied = system.nodes.iter().enumerate().flat_map(|(node, it)| {
        let key = move |file| format!("nodes[{node}].files[{file}].from");
        it.files.iter().enumerate().map(move |(file, copied)| (key(file), copied.from.clone()))
    });
    let missing_copied = copied.filter_map(|(key, from)| {
        let error = reach.demand_file(&folder.join(&from)).err()?;
        let mend = format!("put it there, or name another; paths start at {}", shown(folder));
        Some(unreachable(key, &error, &from, format!("there is no file {from}"), mend))
    });
    let builds = system.images.iter().filter_map(|(name, image)| Some((name, image.build.as_ref()?)));
    let missing_builds = builds.filter_map(|(name, build)| {
        let error = reach.demand_file(&folder.join(build).join("Dockerfile")).err()?;
        let problem = format!("there is no Dockerfile in {build}");
        let mend = format!("name the folder that holds it; paths start at {}", shown(folder));
        Some(unreachable(format!("images.{name}.build"), &error, build, problem, mend))
    });
    let programs = system.images.iter().flat_map(|(name, image)| {
        image.programs.iter().enumerate().map(move |(index, program)| (name, index, program))
    });
    let elsewhere = programs.filter(|(_, _, program)| !files::is_file_name(program)).map(|(name, index, program)| {
        let problem = format!("`{program}` is not a name of a program");
        let mend = "write its name alone: programs lie beside `blackstart`";
        Note::new(format!("images.{name}.programs[{index}]"), problem, mend)
    });
    missing_copied.chain(missing_builds).chain(elsewhere).collect()
}

/// A note on what a system names: not there, or not to be read.
fn unreachable(key: String, error: &ReachError, named: &str, missing: String, mend: String) -> Note {
    match error {
        ReachError::Outside { .. } => Note::new(key, format!("{named}: {error}"), error.mend().unwrap_or(mend)),
        ReachError::Unreadable(error) if error.kind() == ErrorKind::NotFound => Note::new(key, missing, mend),
        ReachError::Unreadable(error) => Note::new(key, format!("{named}: {error}"), "name a regular file"),
    }
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "this file's folder".to_owned() } else { folder.display().to_string() }
}

/// The path of a file that another names, without the detours where that leads to the same file.
fn beside(file: &Path, named: &str) -> PathBuf {
    let joined = file.parent().unwrap_or(Path::new("")).join(named);
    let mut short = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir if matches!(short.components().next_back(), Some(Component::Normal(_))) => {
                short.pop();
            }
            Component::CurDir => {}
            part => short.push(part),
        }
    }
    let is_same = matches!((short.canonicalize(), joined.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if is_same { short } else { joined }
}
