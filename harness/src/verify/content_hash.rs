//! Two servers hold the same rows: each hashes its own, and only hashes travel.
//!
//! The hash of a table is the sum of its rows' hashes, so that no server has to sort anything: whoever holds the same rows
//! comes to the same sum, in whatever order they lie. Where sums differ, the rows are divided by their keys into
//! [`BUCKETS`], and only those that differ are looked into.

use std::{collections::BTreeMap, time::Duration};

pub use blackstart_evidence::checks::Content;
use blackstart_evidence::checks::{ContentHashAnswer, Look, Replica, TableOfTwo, compare};
use futures_util::future::{join_all, try_join, try_join_all};

use super::{Ask, Asked, Examiner, Turn, answered};
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
    /// Its name.
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
    async fn ask(&self, examiner: &Examiner, turn: Turn) -> Result<Asked> {
        let left = examiner.target(&self.left.on, &self.left.database).await?;
        let Servers { asked, silent } = servers(examiner, &self.right, &left).await?;
        let mut answer = ContentHashAnswer { left: left.node.clone(), right: Vec::new(), silent };
        if !answer.silent.is_empty() {
            return Ok(Asked::evaluated(self, answer));
        }
        if asked.is_empty() {
            return Ok(Asked::nothing(format!("no server follows {} as the drill left it", left.node)));
        }
        let tables = wanted(tables(examiner.world.as_ref(), &left, turn.within).await?, &self.tables)?;
        let each = asked.iter().map(|right| hold_against(examiner, &left, right, &tables, turn.within));
        answer.right = try_join_all(each).await?;
        Ok(Asked::evaluated(self, answer))
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
) -> Result<Replica> {
    let world = examiner.world.as_ref();
    let (ours, theirs) =
        try_join(contents(world, left, tables, within), contents(world, right, tables, within)).await?;
    let each = tables.iter().map(|table| {
        let (left_holds, right_holds) = (ours.get(&table.name).cloned(), theirs.get(&table.name).cloned());
        async move {
            let mut of_two = TableOfTwo { left: left_holds, right: right_holds, look: None };
            if !of_two.is_alike() {
                of_two.look = Some(look_into(world, left, right, table, within).await?);
            }
            Ok((table.name.clone(), of_two))
        }
    });
    let tables = try_join_all(each).await?.into_iter().collect();
    Ok(Replica { node: right.node.clone(), tables })
}

/// Finds the rows by which a table differs.
async fn look_into(
    world: &dyn Questions,
    left: &SqlTarget,
    right: &SqlTarget,
    table: &Table,
    within: Duration,
) -> Result<Look> {
    let both = |query: String| async move {
        try_join(world.query(left, &query, within), world.query(right, &query, within)).await
    };
    let (ours, theirs) = both(by_bucket(table)).await?;
    let differ = differing(&ours, &theirs);
    if differ.is_empty() {
        return Ok(Look::Gone);
    }
    let (ours, theirs) = both(by_row(table, &differ[..differ.len().min(LOOKED_INTO)])).await?;
    Ok(Look::Rows { keys: compare(&ours, &theirs).differences, has_more: differ.len() > LOOKED_INTO })
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
}
