// Package profile reads vendor files that a YAML table describes: no Go code per vendor.
//
// A profile says what a file looks like and which column fills which field of the neutral row:
//
//	version: 1
//	name: acme_daily
//	title: Acme daily settlement file
//	side: A
//	delimited: {delimiter: ","}
//	columns:
//	  - {name: 商户号, aliases: [商户编号], field: merchant_id, filled: true}
//	  - {name: 类型, field: kind, map: {消费: sale, 退货: refund}}
//	  - {name: 金额, field: amount, sign: kind}
//	  - {name: 时间, field: txn_time, layouts: ["yyyy-MM-dd HH:mm:ss"]}
//	trailer:
//	  - {text: "合计：{rows}笔，{amount}元"}
//	controls:
//	  - {name: 合计笔数, stated: rows, measure: rows}
//
// A file is read in these parts, each of which may be missing:
//
//	+-----------+  preamble: lines before the header; templates capture parts of them
//	| #账号：[1] |
//	+-----------+  header: found by its column names, wherever the vendor puts it and in whatever order
//	| 商户号,..  |
//	+-----------+  records: one line each (or fixed bytes); a record emits one transaction, or one per matching rule
//	| 1,消费,..  |
//	+-----------+  trailer: its lines prove that the file is whole; captures feed the controls
//	| 合计：..   |
//	+-----------+
//
// The profile is compiled to an op table: a slice of {code, column, field, ...} that one switch walks for each
// record. Only the columns that are wanted, or that totals and controls need, are decoded. In steady state reading
// allocates nothing per row.
//
// Most records of most files are plain: no quote, no padding, as many cells as the header, values of the usual form.
// They go a quick way (quick.go) that decides only what it can decide exactly and otherwise leaves the whole record to
// the ordinary way. Layouts with emit rules, backticks, columns that controls add up, fixed widths, or GBK text cut at
// a bar, and readings that want extra, have no quick way.
//
// Rules that hold for every profile: cells are trimmed of blanks, TABs and backticks; header names are compared
// after normalising (BOM, blanks, quotes, backticks, full-width forms); a column that the profile does not know is
// kept in extra and reported; a value that is not in its map, an amount that does not parse or has surplus
// decimals, and a date that does not exist are row errors; card numbers keep their last four digits only.
package profile
