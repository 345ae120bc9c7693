"""Joins the two files of a generated day with DuckDB, as somebody would who knows it well.

    python join_duckdb.py JOURNAL ACQUIRER REGISTER OUT.csv

Two threads, no memory limit of ours, order not kept, every column typed, only the needed ones read. One full outer join
on (merchant, RRN without leading zeros, kind), then rows without RRN on one side by (terminal, trace number, kind). What
is left, and pairs whose amount or status differ, goes to OUT.csv. No duplicates, no sets, no reasons: a bare join.
"""

import sys

import duckdb

JOURNAL = """merchant_id store_id terminal_id batch_no trace_no rrn auth_code card_no channel kind amount currency txn_time
response_code order_no channel_txn_id refund_no orig_trace_no orig_rrn orig_date offline operator""".split()
ACQUIRER = """business_date txn_date txn_clock ext_tid amount net fee trace_no kind rrn card_no ext_mid issuer card_class
order_no acquirer_ref channel""".split()

SQL = """
CREATE TEMP TABLE open AS
WITH t AS (
    SELECT merchant_id AS mid, terminal_id AS tid, trace_no AS trace, nullif(ltrim(rrn, '0'), '') AS rrn, amount,
           CASE kind WHEN 'sale' THEN 1 WHEN 'refund' THEN 2 WHEN 'void' THEN 3 END::UTINYINT AS kind, response_code = '00' AS approved
    FROM read_csv('{journal}', header = true, delim = ',', quote = '', escape = '', auto_detect = false, columns = {journal_columns})
), a AS (
    SELECT m.mid, ext_tid, trace_no AS trace, nullif(ltrim(rrn, '0'), '') AS rrn,
           CASE kind WHEN '消费' THEN 1 WHEN '退货' THEN 2 WHEN '消费撤销' THEN 3 END::UTINYINT AS kind, abs(amount) AS amount
    FROM read_csv('{acquirer}', header = false, skip = 4, delim = '\t', quote = '', escape = '', auto_detect = false, ignore_errors = true,
                  columns = {acquirer_columns}) AS f
    JOIN read_csv('{register}/merchants.csv', header = true, all_varchar = true) AS m ON m.external_mid = f.ext_mid AND m.acquirer = 'chinaums'
)
SELECT t.mid AS t_mid, t.tid AS t_tid, t.trace AS t_trace, t.rrn AS t_rrn, t.kind AS t_kind, t.amount AS t_amount, t.approved,
       a.mid AS a_mid, a.ext_tid, a.trace AS a_trace, a.rrn AS a_rrn, a.kind AS a_kind, a.amount AS a_amount
FROM t FULL OUTER JOIN a ON t.mid = a.mid AND t.rrn = a.rrn AND t.kind = a.kind
WHERE t.mid IS NULL OR a.mid IS NULL OR t.amount <> a.amount OR NOT t.approved;

CREATE TEMP TABLE judged AS
WITH terminals AS (
    SELECT DISTINCT tid, external_tid FROM read_csv('{register}/terminals.csv', header = true, all_varchar = true)
), t AS (SELECT * FROM open WHERE a_mid IS NULL),
a AS (SELECT open.*, r.tid AS a_tid FROM open LEFT JOIN terminals AS r ON r.external_tid = open.ext_tid WHERE t_mid IS NULL),
late AS (
    SELECT t.t_mid, t.t_tid, t.t_trace, t.t_rrn, t.t_kind, t.t_amount, t.approved, a.a_mid, a.a_tid, a.a_trace, a.a_rrn, a.a_kind, a.a_amount
    FROM t FULL OUTER JOIN a
      ON t.t_tid = a.a_tid AND t.t_trace = a.a_trace AND t.t_kind = a.a_kind AND (t.t_rrn IS NULL OR a.a_rrn IS NULL)
    UNION ALL
    SELECT t_mid, t_tid, t_trace, t_rrn, t_kind, t_amount, approved, a_mid, ext_tid, a_trace, a_rrn, a_kind, a_amount
    FROM open WHERE t_mid IS NOT NULL AND a_mid IS NOT NULL
)
SELECT CASE
           WHEN a_mid IS NULL THEN CASE WHEN NOT approved THEN NULL WHEN t_kind = 3 THEN 'T09' WHEN t_kind = 2 THEN 'T14' ELSE 'T02' END
           WHEN t_mid IS NULL THEN CASE WHEN a_kind = 1 THEN 'T03' ELSE 'T15' END
           WHEN NOT approved THEN 'T05'
           WHEN t_amount <> a_amount THEN 'T04'
       END AS class,
       coalesce(t_mid, a_mid) AS merchant_id, coalesce(t_tid, a_tid) AS terminal_id, coalesce(t_trace, a_trace) AS trace_no,
       coalesce(t_rrn, a_rrn) AS rrn, ['sale', 'refund', 'void'][coalesce(t_kind, a_kind)] AS kind, t_amount AS amount, a_amount AS other_amount
FROM late;

COPY (SELECT * FROM judged WHERE class IS NOT NULL) TO '{out}' (FORMAT csv, HEADER true);
"""


def columns(names):
    types = {"amount": "DECIMAL(18,2)", "trace_no": "INTEGER"}
    return "{" + ", ".join(f"'{n}': '{types.get(n, 'VARCHAR')}'" for n in names) + "}"


def main(journal, acquirer, register, out):
    db = duckdb.connect()
    db.execute("SET threads = 2")
    db.execute("SET preserve_insertion_order = false")
    db.execute(SQL.format(journal=journal, acquirer=acquirer, register=register, out=out,
                          journal_columns=columns(JOURNAL), acquirer_columns=columns(ACQUIRER)))
    for name, n in db.execute("SELECT class, count(*) FROM judged WHERE class IS NOT NULL GROUP BY class ORDER BY class").fetchall():
        print(name, n)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
