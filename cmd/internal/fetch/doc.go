// Package fetch brings the files of a source into the archive and proves that they arrived whole.
//
// A [Source] says where files lie, what they are called and when one is complete. A [Remote] is the place itself: an
// SFTP server or a local folder, both only ever read. A [Fetcher] lists the place, decides for each name what to do
// and why, and lands each wanted file in three steps: copy into a private part file, prove it (bytes copied = size
// listed = size read again afterwards, checksum where one is given), rename it into the [Archive] under the SHA-256 of
// its bytes. Only then the caller hears of it through Record. Nobody tries to understand a file before that.
//
// Three traps shape this package. A plain copy from an SFTP file may end early without an error, so bytes are read
// in whole chunks at explicit offsets and counted. The SFTP library has no deadlines, so each operation runs under a
// watch that cuts the connection when nothing moves. And a connection that dies during a listing can look like the
// end of the folder, so each listing is followed by one more question to the server, which only a living connection
// answers.
package fetch
