package fetch

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// watchedConn is a connection that can be cut from outside with a reason, and that knows when bytes last came in.
type watchedConn struct {
	net.Conn
	arrived atomic.Int64 // bytes
	mu      sync.Mutex
	cause   error
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.arrived.Add(int64(n))
	return n, err
}

// cut closes the connection. The first reason stays.
func (c *watchedConn) cut(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	_ = c.Conn.Close()
}

// reason is why the connection was cut, or nil.
func (c *watchedConn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// guard runs one operation under a watch: the connection is cut when ctx ends, when nothing arrives for idle, or when
// the whole takes longer than limit. It then reports that reason instead of whatever the operation stumbled upon.
func (c *watchedConn) guard(ctx context.Context, idle, limit time.Duration, op func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { c.watch(ctx, done, idle, limit) })
	err := op()
	close(done)
	watch.Wait()
	if cause := c.reason(); cause != nil && err != nil {
		return cause
	}
	return err
}

func (c *watchedConn) watch(ctx context.Context, done <-chan struct{}, idle, limit time.Duration) {
	end := time.NewTimer(limit)
	defer end.Stop()
	look := time.NewTicker(max(idle/4, time.Millisecond))
	defer look.Stop()
	last, since := c.arrived.Load(), time.Now()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			c.cut(context.Cause(ctx))
			return
		case <-end.C:
			c.cut(ErrDeadline)
			return
		case now := <-look.C:
			if n := c.arrived.Load(); n != last {
				last, since = n, now
			} else if now.Sub(since) >= idle {
				c.cut(ErrStalled)
				return
			}
		}
	}
}
