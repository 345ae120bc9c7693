// Package join finds, among millions of rows, the pairs about which there is nothing to say.
//
// A day of ten million sales holds a few thousand rows that somebody must look at. This package takes all rows in a short
// form, joins the two sides of leg T-A by their identifiers, and splits them in two: plain pairs, which are only added up,
// and the rest, which the caller reads again in full and judges row by row. It decides nothing that could be decided in
// another way: a pair is plain only if
//
//   - in the first pass in which either row meets a row of the other side, the key is theirs alone: one row a side;
//   - both are successful sales of one amount and currency, at one place, inside the pass's window;
//   - no row beside these two carries an identifier of theirs, or names one as its original's.
//
// Whatever else shares a key with them is handed back with them. So the rest, judged alone, comes to what all rows
// judged together would come to; a pair that is handed back needlessly costs time and changes nothing.
//
// # Rows
//
// A [Row] in a space (channel ids, order numbers, RRNs) is a few words without pointers:
//
//	key      1 word (RRN) or 3 (order and channel ids): the identifier itself, packed without loss; equal words are equal ids
//	where    24 bits facet, 40 bits position: the byte offset in the files of a side laid end to end
//	amount   40 bits, signed, minor units; 4 bits flags; 20 bits number
//	fee      40 bits, signed, 1e-5 of the major unit; 24 bits number
//
// 32 bytes for a card sale, 48 for a wallet's. A value that does not fit makes the row one of the rest, never a shorter
// value. A [Facet] is all that many rows have in common: merchant, terminal, channel, day. The number is that of a row
// with several identifiers, which has a [Row] in each space; for others it holds a digest of terminal and STAN.
//
// # Passes
//
// [ShardKey] says in which partition a row lies and matchShard judges one partition. Both are functions of the rows
// alone: of no file, worker, memory limit or number of partitions. Sums of plain pairs ([Sums]) merge in any order, and
// the rest is sorted by position at the end. Hash seeds are constants.
package join
