package fetch

import (
	"context"
	"sync"
)

// Slots caps how many connections are open to one host at a time. It is shared by all sources of a run.
type Slots struct {
	perHost int
	mu      sync.Mutex
	hosts   map[string]chan struct{}
}

// NewSlots allows perHost connections to each host, one if perHost is not positive.
func NewSlots(perHost int) *Slots {
	return &Slots{perHost: max(1, perHost), hosts: map[string]chan struct{}{}}
}

// acquire waits for a free connection to host. The returned function gives it back.
func (s *Slots) acquire(ctx context.Context, host string) (func(), error) {
	if s == nil {
		return func() {}, nil
	}
	s.mu.Lock()
	slot, ok := s.hosts[host]
	if !ok {
		slot = make(chan struct{}, s.perHost)
		s.hosts[host] = slot
	}
	s.mu.Unlock()
	select {
	case slot <- struct{}{}:
		var once sync.Once
		return func() { once.Do(func() { <-slot }) }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
