// Package store remembers: deliveries, files, slots, day runs, cases, exception items, decisions, closings, the audit
// log, leases, schedule. It speaks sqlx to one SQLite file, or to PostgreSQL where the data source is a postgres:// URL,
// with the same queries; tests may take a SQLite database in memory (memory:NAME).
//
//	deliveries ─┬─ delivery_names      provenance rows, a hash chain
//	            └─ files ─┬─ file_names     aliases: other names and wrappings
//	                      ├─ control_totals
//	                      └─ slot_revisions ── slots     what a file stands for, newest wins; effective_on: it came for a
//	                              └─ slot_aliases        closed date and is booked on that one, never current
//	day_runs ─┬─ run_inputs            what the run knew
//	          ├─ run_cases ──> cases   the newest committed row of each case; case_aliases: its older ids
//	          ├─ exception_items, events
//	          ├─ outbox                what must still be published or sent
//	          └─ issues                what was published, with the digest of its list of files
//	decisions ── decision_members      what people said, found by case id and by row key
//	closings                           the newest row says through which date the books are closed
//	audit_log                          who did what, a hash chain; written in the transaction of what it tells of
//	leases   schedule   book   chains (heads of the hash chains)
//
// Conventions, the same in both dialects. Instants are text, RFC 3339 in UTC with six decimals (fixed width, so that
// the order of the texts is the order of time); dates are YYYY-MM-DD; digests are lower-case hex SHA-256; no date, no
// instant and no text are the empty text; only sums of money may be NULL, which means "absent". Texts compare by
// bytes. Names that come from outside (remote names, members) are stored with backslash escapes where they are not
// plain UTF-8 and given back exactly as they came; so are keys of members and ids of rows.
//
// Nothing is ever overwritten: revisions of slots, superseded runs and their items stay, and decisions, closings, issues
// and the audit log are only appended to. The table cases alone is derived and rebuilt by each commit.
//
// The core never reads events; bulk rows, carry files and match ledgers are files, not tables.
package store
