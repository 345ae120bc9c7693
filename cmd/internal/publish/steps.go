// Package publish puts finished bytes where others read them, so that a reader sees a whole thing or nothing, at
// whatever instant the program is killed.
//
//	<reports>/2026-01-05/.r2.tmp-...   being written, 0700; removed by the next publication of the day
//	<reports>/2026-01-05/r1/           issued, never changed again
//	<reports>/2026-01-05/r2/
//	<reports>/2026-01-05/latest -> r2  relative symbolic link, switched by a rename
//
// A carry file lies under the digest of its text: <carry>/ab/abcd....jsonl.zst ([CarryStore]).
//
// The order is always the same: write a private file, fsync it, fsync its folder, rename, fsync the folder of the
// name. Doing it again after a crash ends in the same state.
package publish

// Names of the points at which a publication may be killed; [Steps] lists them in order.
const (
	stepCleaned  = "publish:leftovers-removed"
	stepFolder   = "publish:folder-made"
	stepFile     = "publish:file-written" // once for each file
	stepSynced   = "publish:files-synced"
	stepIssued   = "publish:issued"
	stepDurable  = "publish:issue-synced"
	stepLink     = "publish:link-made"
	stepSwitched = "publish:latest-switched"
	stepDone     = "publish:done"

	stepCarryOpened  = "carry:opened"
	stepCarryWritten = "carry:written"
	stepCarrySynced  = "carry:synced"
	stepCarryRenamed = "carry:renamed"
	stepCarryDone    = "carry:done"
)

// Steps names the points of Publish, in order, at which its step function is called.
func Steps() []string {
	return []string{stepCleaned, stepFolder, stepFile, stepSynced, stepIssued, stepDurable, stepLink, stepSwitched, stepDone}
}

// CarrySteps names the points of CarryStore.Put, in order, at which its Step is called.
func CarrySteps() []string {
	return []string{stepCarryOpened, stepCarryWritten, stepCarrySynced, stepCarryRenamed, stepCarryDone}
}
