//! Two servers hold the same rows: each hashes its own, and only hashes travel.
//!
//! The hash of a table is the sum of its rows' hashes, so that no server has to sort anything: whoever holds the same rows
//! comes to the same sum, in whatever order they lie. Where sums differ, the rows are divided by their keys into
//! [`BUCKETS`], and only those that differ are looked into.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{join_all, try_join};

use super::{Answer, Ask, Evaluation, Examiner, Turn, agreement::compare, answered};
use crate::{
    scenario::check::{ContentHashCheck, ContentSide, REPLICAS},
    world::{Questions, Result, Rows, SqlTarget},
};

/// Into how many parts a table that differs is divided.
const BUCKETS: u64 = 256;

/// How many of the parts that differ are looked into.
const LOOKED_INTO: usize = 4;

/// How long a server may take to say whether it follows another.
const ROLE_WITHIN: Duration = Duration::from_secs(1);

/// Every column of every table of a database: the table; the columns of its key, or nothing where it has none; the value of
/// the column; whether it is always there; and the function by which the server hashes such a value, or nothing where it has
/// none. The server hashes a `timestamptz` by a function for another type, which a statement cannot call on it.
const COLUMNS: &str = "select c.oid::regclass::text, (
        select string_agg(quote_ident(k.attname), ', ' order by p.place)
        from pg_index i, unnest(i.indkey::int2[]) with ordinality as p(number, place), pg_attribute k
        where i.indrelid = c.oid and i.indisprimary and k.attrelid = c.oid and k.attnum = p.number),
        quote_ident(a.attname) || case a.atttypid when 'timestamptz'::regtype then ' at time zone ''UTC''' else '' end,
        a.attnotnull, (
        select f.oid::regproc::text from pg_opclass o join pg_am m on m.oid = o.opcmethod
        join pg_amproc s on s.amprocfamily = o.opcfamily and s.amproclefttype = o.opcintype
        and s.amprocrighttype = o.opcintype and s.amprocnum = 2
        join pg_proc f on f.oid = s.amproc and f.proargtypes[0] = o.opcintype
        where m.amname = 'hash' and o.opcdefault and o.opcintype = case a.atttypid
            when 'varchar'::regtype then 'text'::regtype when 'timestamptz'::regtype then 'timestamp'::regtype
            else a.atttypid end)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname not in ('pg_catalog', 'information_schema')
    order by 1, a.attnum";

/// A table, as the database itself writes its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// The columns of its key, if it has one.
    key: Option<String>,
    /// The hash of a row, as an expression.
    hash: String,
}

impl Table {
    const fn new(name: String, key: Option<String>) -> Self {
        Self { name, key, hash: String::new() }
    }

    /// Takes another column into the hash of a row. Each hash is the seed of the next, so that two rows which exchange the
    /// values of a column do not keep their sum.
    fn add(&mut self, value: &str, is_always_there: bool, function: Option<&str>) {
        let seed = if self.hash.is_empty() { "0" } else { &self.hash };
        let (function, value) = match function {
            Some(function) => (function, value.to_owned()),
            None => ("hashtextextended", format!("({value})::text")),
        };
        self.hash = if is_always_there {
            format!("{function}({value}, {seed})")
        } else {
            // What hashes a value says nothing of one that is not there.
            format!("hashint8extended(coalesce({function}({value}, 1), 0), {seed})")
        };
    }

    /// The hash of a row. A table without a column has rows none the less, which are all alike.
    fn hash(&self) -> &str {
        if self.hash.is_empty() { "0" } else { &self.hash }
    }

    /// What tells a row from the others: its key, or all of it.
    fn identity(&self) -> String {
        self.key.as_ref().map_or_else(|| "t::text".to_owned(), |columns| format!("concat_ws('/', {columns})"))
    }
}

/// What a table holds: how many rows, and the sum of their hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// How many rows.
    pub rows: u64,
    /// The sum of their hashes.
    pub sum: String,
}

/// The tables of a database.
///
/// # Errors
/// When the server cannot be asked.
pub async fn tables(world: &dyn Questions, target: &SqlTarget, within: Duration) -> Result<Vec<Table>> {
    Ok(by_table(world.query(target, COLUMNS, within).await?))
}

fn by_table(columns: Rows) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in columns {
        let Ok([Some(name), key, value, is_always_there, function]) = <[Option<String>; 5]>::try_from(row) else {
            continue;
        };
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table::new(name, key));
        }
        if let (Some(table), Some(value)) = (tables.last_mut(), value) {
            table.add(&value, is_always_there.as_deref() == Some("t"), function.as_deref());
        }
    }
    tables
}

/// What these tables hold, asked in one statement, so that all of it is of one moment.
///
/// # Errors
/// When the server cannot be asked, or cannot read one of them.
pub async fn contents(
    world: &dyn Questions,
    target: &SqlTarget,
    tables: &[Table],
    within: Duration,
) -> Result<BTreeMap<String, Content>> {
    let each = tables.iter().map(|table| {
        let (name, hash, label) = (&table.name, table.hash(), table.name.replace('\'', "''"));
        format!("select '{label}', count(*), coalesce(sum({hash}), 0) from {name} t")
    });
    let query = each.collect::<Vec<_>>().join(" union all ");
    let rows = world.query(target, &query, within).await?;
    let content = |row: Vec<Option<String>>| match <[Option<String>; 3]>::try_from(row) {
        Ok([Some(name), Some(rows), Some(sum)]) => Some((name, Content { rows: rows.parse().ok()?, sum })),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(content).collect())
}

#[async_trait::async_trait]
impl Ask for ContentHashCheck {
    async fn ask(&self, examiner: &Examiner, turn: Turn) -> Result<Answer> {
        let left = examiner.target(&self.left.on, &self.left.database).await?;
        let right = match servers(examiner, &self.right, &left).await? {
            Servers { silent, .. } if !silent.is_empty() => return Ok(unheard(&silent).into()),
            Servers { asked, .. } if asked.is_empty() => {
                return Ok(Answer::Nothing(format!("no server follows {} as the drill left it", left.node)));
            }
            Servers { asked, .. } => asked,
        };
        let tables = wanted(tables(examiner.world.as_ref(), &left, turn.within).await?, &self.tables)?;
        let each = right.iter().map(|right| hold_against(examiner, &left, right, &tables, turn.within));
        let evaluations = join_all(each).await.into_iter().collect::<Result<Vec<Evaluation>>>()?;
        Ok(together(evaluations).into())
    }
}

/// The servers on the right: those to ask, and those that should answer and do not.
struct Servers {
    asked: Vec<SqlTarget>,
    silent: Vec<String>,
}

async fn servers(examiner: &Examiner, side: &ContentSide, left: &SqlTarget) -> Result<Servers> {
    if side.on != REPLICAS {
        return Ok(Servers { asked: vec![examiner.target(&side.on, &side.database).await?], silent: Vec::new() });
    }
    let asker = examiner.asker();
    let (_, access) = asker.database(Some(&side.database))?;
    let Some(is_replica) = &access.is_replica else {
        return Err(answered(format!("find the replicas of {}", side.database), "it declares no `is_replica`"));
    };
    let others = access.nodes.iter().filter(|node| **node != left.node && !examiner.down.contains(node));
    let answers = join_all(others.map(|node| async move {
        let target = asker.target(Some(&side.database), node);
        (target, asker.is_so(&side.database, node, is_replica, ROLE_WITHIN).await)
    }))
    .await;
    let mut servers = Servers { asked: Vec::new(), silent: Vec::new() };
    for (target, answer) in answers {
        let target = target?;
        match answer {
            Ok(true) => servers.asked.push(target),
            Ok(false) => {}
            Err(error) => servers.silent.push(format!("{} ({})", target.node, error.happened)),
        }
    }
    Ok(servers)
}

/// A server that should answer and does not may hold anything.
fn unheard(silent: &[String]) -> Evaluation {
    let detail = format!("no answer from {}", silent.join(", "));
    Evaluation { deviations: silent.len() as u64, raw: detail.clone(), detail }
}

/// The tables that a check names, or all of them.
fn wanted(tables: Vec<Table>, named: &[String]) -> Result<Vec<Table>> {
    let doing = || "list the tables to compare".to_owned();
    if let Some(missing) = named.iter().find(|name| !tables.iter().any(|table| table.name == **name)) {
        return Err(answered(doing(), format!("there is no table {missing}")));
    }
    let wanted: Vec<Table> =
        tables.into_iter().filter(|table| named.is_empty() || named.contains(&table.name)).collect();
    if wanted.is_empty() { Err(answered(doing(), "there is none")) } else { Ok(wanted) }
}

async fn hold_against(
    examiner: &Examiner,
    left: &SqlTarget,
    right: &SqlTarget,
    tables: &[Table],
    within: Duration,
) -> Result<Evaluation> {
    let world = examiner.world.as_ref();
    let (ours, theirs) =
        try_join(contents(world, left, tables, within), contents(world, right, tables, within)).await?;
    let differ: Vec<&Table> = tables.iter().filter(|table| ours.get(&table.name) != theirs.get(&table.name)).collect();
    if differ.is_empty() {
        return Ok(alike(left, right, &ours));
    }
    let look = differ.iter().map(|table| look_into(world, left, right, table, within));
    let evaluations = join_all(look).await.into_iter().collect::<Result<Vec<Evaluation>>>()?;
    Ok(together(evaluations))
}

fn alike(left: &SqlTarget, right: &SqlTarget, contents: &BTreeMap<String, Content>) -> Evaluation {
    let rows: u64 = contents.values().map(|content| content.rows).sum();
    let detail = format!("{rows} rows of {} tables are the same on {} and {}", contents.len(), left.node, right.node);
    let lines = contents.iter().map(|(name, Content { rows, sum })| format!("{name}: {rows} rows, {sum}"));
    Evaluation { deviations: 0, detail, raw: lines.collect::<Vec<_>>().join("\n") }
}

/// Finds the rows by which a table differs.
async fn look_into(
    world: &dyn Questions,
    left: &SqlTarget,
    right: &SqlTarget,
    table: &Table,
    within: Duration,
) -> Result<Evaluation> {
    let both = |query: String| async move {
        try_join(world.query(left, &query, within), world.query(right, &query, within)).await
    };
    let (ours, theirs) = both(by_bucket(table)).await?;
    let differ = differing(&ours, &theirs);
    if differ.is_empty() {
        // One server was behind the other. Whoever asks again will see whether it is still.
        let detail = format!("{}: differed, and a moment later did not", table.name);
        return Ok(Evaluation { deviations: 1, raw: detail.clone(), detail });
    }
    let (ours, theirs) = both(by_row(table, &differ[..differ.len().min(LOOKED_INTO)])).await?;
    let mut evaluation = compare(&left.node, &ours, &right.node, &theirs);
    // These, too, may have become the same meanwhile.
    evaluation.deviations = evaluation.deviations.max(1);
    let more = if differ.len() > LOOKED_INTO { ", and there are more" } else { "" };
    evaluation.detail = format!("{}: {}{more}", table.name, evaluation.detail);
    evaluation.raw = format!("{}\n{}", table.name, evaluation.raw);
    Ok(evaluation)
}

/// A table's rows with their keys and hashes; what else is in them stays where it is.
fn hashed(table: &Table) -> String {
    let (name, identity, hash) = (&table.name, table.identity(), table.hash());
    format!("(select {identity} as key, {hash} as hash from {name} t) as hashed")
}

fn by_bucket(table: &Table) -> String {
    let of_all = hashed(table);
    format!("select hashtextextended(key, 0) & {}, count(*), sum(hash) from {of_all} group by 1", BUCKETS - 1)
}

fn by_row(table: &Table, buckets: &[String]) -> String {
    let (of_all, wanted) = (hashed(table), buckets.join(", "));
    // A table without a key has nothing but the rows themselves to tell them by, and those are nobody's business here.
    let shown = if table.key.is_some() { "key" } else { "'row ' || hash" };
    let bucket = format!("hashtextextended(key, 0) & {}", BUCKETS - 1);
    format!("select {shown}, count(*), sum(hash) from {of_all} where {bucket} in ({wanted}) group by 1")
}

/// The buckets that are not the same on both sides.
fn differing(ours: &Rows, theirs: &Rows) -> Vec<String> {
    let keyed = |rows: &Rows| -> BTreeMap<String, Vec<Option<String>>> {
        rows.iter().filter_map(|row| Some((row.first()?.clone()?, row[1..].to_vec()))).collect()
    };
    let (ours, theirs) = (keyed(ours), keyed(theirs));
    let all = ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key)));
    all.filter(|key| ours.get(*key) != theirs.get(*key)).cloned().collect()
}

fn together(evaluations: Vec<Evaluation>) -> Evaluation {
    let deviations = evaluations.iter().map(|evaluation| evaluation.deviations).sum();
    // What is well says nothing where something is not.
    let told = evaluations.iter().filter(|evaluation| deviations == 0 || evaluation.deviations > 0);
    let (details, raws): (Vec<&str>, Vec<&str>) = told.map(|it| (it.detail.as_str(), it.raw.as_str())).unzip();
    Evaluation { deviations, detail: details.join("; "), raw: raws.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[[&str; 3]]) -> Rows {
        rows.iter().map(|row| row.iter().map(|cell| Some((*cell).to_owned())).collect()).collect()
    }

    fn table(name: &str, key: Option<&str>) -> Table {
        Table::new(name.to_owned(), key.map(str::to_owned))
    }

    #[test]
    fn every_column_is_in_the_hash_of_a_row_and_in_its_place() {
        let told = |cells: [&str; 5]| cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect();
        let tables = by_table(vec![
            told(["empty", "", "", "", ""]),
            told(["orders", "token", "token", "t", "hashtextextended"]),
            told(["orders", "token", "note", "f", "hashtextextended"]),
            told(["orders", "token", "shape", "t", ""]),
        ]);
        let hashes: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.hash())).collect();
        let note = "hashint8extended(coalesce(hashtextextended(note, 1), 0), hashtextextended(token, 0))";
        let orders = format!("hashtextextended((shape)::text, {note})");
        assert_eq!(hashes, [("empty", "0"), ("orders", orders.as_str())]);
    }

    #[test]
    fn only_parts_that_differ_are_looked_into() {
        let ours = rows(&[["1", "10", "77"], ["2", "5", "3"], ["3", "1", "9"]]);
        let theirs = rows(&[["1", "10", "77"], ["2", "5", "4"], ["9", "1", "9"]]);
        assert_eq!(differing(&ours, &theirs), ["2", "3", "9"]);
        assert_eq!(differing(&ours, &ours), Vec::<String>::new());
    }

    #[test]
    fn rows_are_told_by_their_key_and_never_by_what_is_in_them() {
        let keyed = by_row(&table("orders", Some("token")), &["7".to_owned()]);
        assert!(keyed.starts_with("select key, count(*)") && keyed.contains("in (7)"), "{keyed}");
        let unkeyed = by_row(&table("effects", None), &["7".to_owned()]);
        assert!(unkeyed.starts_with("select 'row ' || hash, count(*)"), "{unkeyed}");
    }

    #[test]
    fn a_table_that_is_not_there_is_not_passed_over() {
        let tables = || vec![table("orders", None), table("queue", None)];
        assert_eq!(wanted(tables(), &[]).unwrap().len(), 2);
        assert_eq!(wanted(tables(), &["queue".to_owned()]).unwrap(), [table("queue", None)]);
        assert!(wanted(tables(), &["ordres".to_owned()]).unwrap_err().to_string().contains("ordres"));
        assert!(wanted(Vec::new(), &[]).is_err(), "whoever finds nothing to hash has not passed");
    }

    #[test]
    fn what_is_wrong_on_one_server_is_not_covered_by_what_is_well_on_another() {
        let evaluation =
            |deviations, detail: &str| Evaluation { deviations, detail: detail.to_owned(), raw: String::new() };
        let both = together(vec![evaluation(0, "the same on a and b"), evaluation(2, "orders: 2 differ")]);
        assert_eq!((both.deviations, both.detail.as_str()), (2, "orders: 2 differ"));
        assert_eq!(together(vec![evaluation(0, "a"), evaluation(0, "b")]).detail, "a; b");
    }
}
