package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// historyInput and historyCase are what the texts ask of summary.json's history.
type historyInput struct {
	Kind, Source, Slot, File, By, Detail string
}

type historyCase struct {
	CaseID     string `json:"case_id"`
	MergedInto string `json:"merged_into"`
	Change     string
	Was, Is    struct{ Class, Status string }
	Cause      []int
}

// changes looks for each line of the block in the history of the newest revision, or of the one named.
func (p *play) changes(c *cursor, x stmt) {
	d, rev := c.day(), c.revision()
	if c.err != nil {
		return
	}
	s := p.summary(d, rev)
	if s == nil {
		return
	}
	if s.History["inputs"] == nil || s.History["changes"] == nil {
		p.unbuilt = "summary.json has no history of changes"
		return
	}
	var inputs []historyInput
	var cases []historyCase
	for key, into := range map[string]any{"inputs": &inputs, "changes": &cases} {
		if err := json.Unmarshal(s.History[key], into); err != nil {
			p.wrong(x, "history.%s: %v", key, err)
			return
		}
	}
	for _, w := range x.block {
		c := &cursor{words: w.words}
		if c.take("because") {
			p.because(c, w, inputs)
		} else {
			p.became(c, w, cases, len(inputs))
		}
		if !c.done() {
			c.fail("%q is not understood", strings.Join(c.words, " "))
		}
		if c.err != nil {
			p.misread(w, "%w", c.err)
		}
	}
}

func (p *play) because(c *cursor, x stmt, inputs []historyInput) {
	kind, word := c.next("a kind"), ""
	if !c.done() {
		word = c.next("a word of it")
	}
	if !slices.ContainsFunc(inputs, func(in historyInput) bool {
		return in.Kind == kind && strings.Contains(strings.Join([]string{in.Source, in.Slot, in.File, in.By, in.Detail}, " "), word)
	}) {
		p.wrong(x, "known now and not before are: %+v", inputs)
	}
}

// became reads: [#1] T01 -> gone, [#1] none -> B01, #1 T03 -> merged #2.
func (p *play) became(c *cursor, x stmt, cases []historyCase, inputs int) {
	id := ""
	if strings.HasPrefix(c.peek(), "#") {
		id = p.caseOf(c, c.next("a case"))
	}
	was := c.next("what it was")
	c.need("->")
	is, into := c.next("what it is"), ""
	if is == "merged" {
		into = p.caseOf(c, c.next("the case into which it went"))
	}
	var told []string
	for _, h := range cases {
		class, now := cmp.Or(h.Was.Class, "none"), cmp.Or(h.Is.Class, "gone")
		if h.MergedInto != "" {
			now = "merged"
		}
		if (id == "" || id == h.CaseID) && class == was && now == is && h.MergedInto == into {
			if inputs > 0 && len(h.Cause) == 0 {
				p.wrong(x, "no input is named as its cause")
			}
			return
		}
		told = append(told, fmt.Sprintf("%s %s %s -> %s %s", h.CaseID, h.Change, class, now, h.MergedInto))
	}
	p.wrong(x, "the sheet Changes says: %s", strings.Join(told, "; "))
}
