//! Reading a scenario and the system that it names.
//!
//! Every file is read four times over: for its size, for the positions of its keys, for its shape against the schema,
//! and into its type. What any of these finds is collected, then the rules of [`judge`](super::judge) follow.

use std::{
    io::Read,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::{
    Declared, Refusal, Refusals, Scenario, System,
    include::include_queries,
    judge::{self, Note},
    locate::{self, Place, Tree},
    refusal::Severity,
    schema::{Kind, schema},
    shape::misshapes,
    system::Role,
};

/// The most bytes that a declaration may have.
const MOST_BYTES: u64 = 1024 * 1024;

/// Reads a scenario and its system, and judges them.
///
/// # Errors
/// Everything that is wrong with the two files.
pub fn read(scenario_file: &Path) -> Result<Declared, Refusals> {
    let mut scenario = Source::<Scenario>::read(scenario_file, Kind::Scenario)?;
    let Some(named) = scenario.system_named() else { return Err(scenario.into_refusals()) };
    let system_file = beside(scenario_file, &named);
    let mut system = match Source::<System>::read(&system_file, Kind::System) {
        Ok(system) => system,
        Err(refusals) => {
            scenario.judge_alone();
            scenario.refuse_unreadable_system(refusals);
            return Err(scenario.into_refusals());
        }
    };
    if let (Some(declared), Some(system)) = (&scenario.typed, &mut system.typed) {
        apply(declared, system);
    }
    system.include();
    system.judge_alone();
    scenario.judge_alone();
    if let (Some(declared), Some(system)) = (&scenario.typed, &system.typed) {
        let notes = judge::together(declared, system);
        scenario.note(notes);
    }
    finish(scenario, system)
}

/// Reads a system and judges it, with what is no reason to refuse it.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn read_system(system_file: &Path) -> Result<(System, Vec<Refusal>), Refusals> {
    let mut source = Source::<System>::read(system_file, Kind::System)?;
    source.include();
    source.judge_alone();
    match source.typed.take() {
        Some(system) if source.is_clean() => Ok((system, source.into_refusals().0)),
        _ => Err(source.into_refusals()),
    }
}

fn finish(mut scenario: Source<Scenario>, mut system: Source<System>) -> Result<Declared, Refusals> {
    let is_clean = scenario.is_clean() && system.is_clean();
    let (scenario_file, system_file) = (scenario.file.clone(), system.file.clone());
    match (is_clean, scenario.typed.take(), system.typed.take()) {
        (true, Some(declared), Some(of)) => {
            let mut warnings = scenario.into_refusals().0;
            warnings.extend(system.into_refusals().0);
            Ok(Declared { scenario: declared, system: of, scenario_file, system_file, warnings })
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
        system.leave_out_vaults();
    }
    let steps = || scenario.recovery.procedure.iter().chain(&scenario.recovery.afterwards);
    system.leave_out_spares(|name| steps().any(|step| step.kind.declared().restores_on() == Some(name)));
}

/// A file while it is being read.
struct Source<T> {
    file: PathBuf,
    text: Arc<str>,
    typed: Option<T>,
    found: Vec<Refusal>,
}

impl<T: DeserializeOwned> Source<T> {
    /// Reads a file, as far as it goes.
    fn read(file: &Path, kind: Kind) -> Result<Self, Refusals> {
        let refused = |(problem, mend): (String, String)| Refusals(vec![Refusal::of_file(file, problem, mend)]);
        let text = read_text(file, kind).map_err(refused)?;
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
        let (problem, mend) = match error.without_snippet() {
            serde_saphyr::Error::MultipleDocuments { .. } => {
                ("a second document begins here".to_owned(), "keep one document in a file")
            }
            serde_saphyr::Error::Budget { .. } => (problem, "keep declarations small and shallow"),
            _ if tree.is_none() => {
                (format!("this is no YAML: {problem}"), "mend the text at this line, or just above it")
            }
            _ => message.split_once("; ").map_or((problem, schema), |(it, mend)| (it.to_owned(), mend)),
        };
        self.placed(&key, place, problem, mend.to_owned())
    }

    /// Gives notes their places, and keeps them.
    fn note(&mut self, notes: Vec<Note>) {
        let text = Arc::clone(&self.text);
        let Some(tree) = (!notes.is_empty()).then(|| Tree::read(&text).ok()).flatten() else { return };
        for note in notes {
            let refusal = self.placed(&note.key, tree.locate(&note.key), note.problem, note.mend);
            self.found.push(Refusal { severity: note.severity, ..refusal });
        }
    }

    fn is_clean(&self) -> bool {
        self.found.iter().all(|refusal| refusal.severity == Severity::Warning)
    }

    /// Everything found, in the order of the file.
    fn into_refusals(mut self) -> Refusals {
        self.found.sort_by_key(|refusal| refusal.position);
        self.found.dedup();
        Refusals(self.found)
    }
}

impl Source<Scenario> {
    /// The system's file as the scenario names it, even where the rest of the scenario cannot be used.
    fn system_named(&self) -> Option<String> {
        let tree = Tree::read(&self.text).ok()?;
        tree.scalar("system").filter(|name| !name.is_empty()).map(str::to_owned)
    }

    fn judge_alone(&mut self) {
        if let Some(scenario) = &self.typed {
            let mut notes = judge::scenario(scenario);
            notes.extend(judge::scenario_name(scenario, &self.file));
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
    fn include(&mut self) {
        let folder = self.file.parent().unwrap_or(Path::new("")).to_owned();
        let notes = self.typed.as_mut().map(|system| include_queries(system, &folder));
        self.note(notes.unwrap_or_default());
    }

    fn judge_alone(&mut self) {
        if let Some(system) = &self.typed {
            let mut notes = judge::system(system);
            notes.extend(judge::system_name(system, &self.file));
            notes.extend(missing_files(system, self.file.parent().unwrap_or(Path::new(""))));
            self.note(notes);
        }
    }
}

/// The text of a file, or what is wrong with it and the mend.
fn read_text(file: &Path, kind: Kind) -> Result<String, (String, String)> {
    let refuse = |problem: &str, mend: &str| Err((problem.to_owned(), mend.to_owned()));
    let name = kind.name();
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let from = match kind {
                Kind::Scenario => "",
                Kind::System => "; its path starts at the folder of the file that names it",
            };
            return refuse("there is no such file", &format!("name an existing {name} file{from}"));
        }
        Err(error) => return refuse(&format!("it cannot be read: {error}"), "make it readable"),
    };
    if metadata.is_dir() {
        return refuse("it is a folder", &format!("name a {name} file within it"));
    }
    if !metadata.is_file() {
        return refuse("it is no regular file", &format!("name a {name} file"));
    }
    let mut bytes = Vec::new();
    if let Err(error) = std::fs::File::open(file).and_then(|open| open.take(MOST_BYTES + 1).read_to_end(&mut bytes)) {
        return refuse(&format!("it cannot be read: {error}"), "make it readable");
    }
    if bytes.len() as u64 > MOST_BYTES {
        return refuse(&format!("it has {} bytes", metadata.len()), &format!("a {name} has at most {MOST_BYTES}"));
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            refuse("it is empty", &format!("write a {name}: see `blackstart schema`"))
        }
        Ok(text) if text.contains('\0') => refuse("it is not text", &format!("name a {name} file")),
        Ok(text) => Ok(text),
        Err(_) => refuse("it is not text in UTF-8", &format!("name a {name} file, and save it as UTF-8")),
    }
}

/// The files and folders that a system names and that are not there.
fn missing_files(system: &System, folder: &Path) -> Vec<Note> {
    let copied = system.nodes.iter().enumerate().flat_map(|(node, it)| {
        let key = move |file| format!("nodes[{node}].files[{file}].from");
        it.files.iter().enumerate().map(move |(file, copied)| (key(file), copied.from.clone()))
    });
    let missing_copied = copied.filter(|(_, from)| !folder.join(from).is_file()).map(|(key, from)| {
        let mend = format!("put it there, or name another; paths start at {}", shown(folder));
        Note::new(key, format!("there is no file {from}"), mend)
    });
    let builds = system.images.iter().filter_map(|(name, image)| Some((name, image.build.as_ref()?)));
    let missing_builds =
        builds.filter(|(_, build)| !folder.join(build).join("Dockerfile").is_file()).map(|(name, build)| {
            let problem = format!("there is no Dockerfile in {build}");
            let mend = format!("name the folder that holds it; paths start at {}", shown(folder));
            Note::new(format!("images.{name}.build"), problem, mend)
        });
    missing_copied.chain(missing_builds).collect()
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
