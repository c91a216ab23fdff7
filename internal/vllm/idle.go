package vllm

import (
	"context"
	"errors"
	"io"
	"time"
)

// idleGuard cancels a request whose server stays silent. http.Client.Timeout would instead
// limit the whole answer, however steadily it comes.
type idleGuard struct {
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func guard(ctx context.Context, limit time.Duration) (context.Context, *idleGuard) {
	ctx, cancel := context.WithCancelCause(ctx)
	g := &idleGuard{limit: limit, cancel: cancel}
	if limit > 0 {
		g.timer = time.AfterFunc(limit, func() { cancel(&IdleError{Limit: limit}) })
	}
	return ctx, g
}

func (g *idleGuard) heard() {
	if g.timer != nil {
		g.timer.Reset(g.limit)
	}
}

func (g *idleGuard) stop() {
	if g.timer != nil {
		g.timer.Stop()
	}
	g.cancel(nil)
}

// guardedBody is a response's body that reports every sign of life and ends the guard.
type guardedBody struct {
	io.ReadCloser
	guard *idleGuard
	ctx   context.Context
}

func (b *guardedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.guard.heard()
	}
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
		err = context.Cause(b.ctx) // the reason, not its effect on the connection
	}
	return n, err
}

func (b *guardedBody) Close() error {
	b.guard.stop()
	return b.ReadCloser.Close()
}
