// Package store remembers: deliveries, files, slots, day runs, cases, exception items, leases, schedule. It speaks
// sqlx to one SQLite file, or to PostgreSQL where the data source is a postgres:// URL, with the same queries.
//
//	deliveries ─┬─ delivery_names      provenance rows, a hash chain
//	            └─ files ─┬─ file_names     aliases: other names and wrappings
//	                      ├─ control_totals
//	                      └─ slot_revisions ── slots     what a file stands for, newest wins
//	                              └─ slot_aliases
//	day_runs ─┬─ run_inputs            what the run knew
//	          ├─ run_cases ──> cases   the newest committed row of each case; case_aliases: its older ids
//	          ├─ exception_items, events
//	          └─ outbox                what must still be published or sent
//	decisions ── decision_members      leases   schedule   book   chains
//
// Conventions, the same in both dialects. Instants are text, RFC 3339 in UTC with six decimals (fixed width, so that
// the order of the texts is the order of time); dates are YYYY-MM-DD; digests are lower-case hex SHA-256; no date, no
// instant and no text are the empty text; only sums of money may be NULL, which means "absent". Texts compare by
// bytes. Names that come from outside (remote names, members) are stored with backslash escapes where they are not
// plain UTF-8 and given back exactly as they came.
//
// Nothing is ever overwritten: revisions of slots, superseded runs and their items stay. The table cases alone is
// derived and rebuilt by each commit.
//
// The core never reads events; bulk rows, carry files and match ledgers are files, not tables.
package store
