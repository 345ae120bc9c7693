package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/pipeline"
)

// load reads a configuration; problems come back as they are.
func (a *app) load(path string) (*config.Config, error) {
	if path == "" {
		return nil, usage(errors.New("--config FILE is required"))
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	return cfg, nil
}

func (a *app) engine(say func(string, ...any)) pipeline.Engine {
	return pipeline.Engine{Now: a.now, Sleep: a.sleep, Program: "daozhang " + version, Step: a.step, Fault: a.fault, Say: say, TempDir: a.env("TMPDIR")}
}

// reader opens the installation for a command that changes nothing.
func (a *app) reader(ctx context.Context, cfg *config.Config) (*pipeline.Engine, error) {
	return pipeline.Open(ctx, cfg, a.engine(a.say), true)
}

// books opens the installation for a command that changes what is booked, with the lease in hand. Only `run` makes an
// installation: where there is none, the error is a store.ErrNotInitialised. The function returned gives all back.
func (a *app) books(ctx context.Context, cfg *config.Config) (*pipeline.Engine, func(), error) {
	r, err := a.reader(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	if err := r.Close(); err != nil {
		return nil, nil, err
	}
	e, err := pipeline.Open(ctx, cfg, a.engine(a.say), false)
	if err != nil {
		return nil, nil, err
	}
	release, err := a.lease(ctx, e)
	if err != nil {
		return nil, nil, errors.Join(err, e.Close())
	}
	return e, func() {
		release()
		if err := e.Close(); err != nil {
			a.say("%v", err)
		}
	}, nil
}

// heartbeat is the sign of life of a run; a run that shows none for twice as long is taken for dead.
const heartbeat = 10 * time.Second

// lease takes the right to work on the books. The function returned gives it back.
func (a *app) lease(ctx context.Context, e *pipeline.Engine) (func(), error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	l, err := e.DB.Acquire(ctx, "run", host, fmt.Sprint(os.Getpid()), heartbeat)
	if err != nil {
		return nil, err
	}
	e.Lease = l
	kctx, cancel := context.WithCancel(ctx)
	tick := time.NewTicker(heartbeat)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Keep(kctx, tick.C); err != nil { // the next commit refuses to write
			a.say("%v", err)
		}
	}()
	return func() {
		cancel()
		tick.Stop()
		<-done
		if err := l.Release(context.WithoutCancel(ctx)); err != nil {
			a.say("%v", err)
		}
	}, nil
}
