package vllm

import "time"

// Budget bounds how long requests are repeated: so much time may lie between a failure and
// the last repeat, for all requests together that share it. A repeat that is answered stops
// the clock: the answer itself may take as long as it likes, a full queue takes minutes. The
// requests that share a budget come one after another.
type Budget struct {
	limit, spent time.Duration
	since        time.Time // of the failure that is being made up for; zero when there is none
}

// NewBudget returns a budget of this much time.
func NewBudget(limit time.Duration) *Budget { return &Budget{limit: limit} }

// Allows notes a failure, and says whether a repeat may start after wait. A nil budget
// allows everything.
func (b *Budget) Allows(wait time.Duration) bool {
	if b == nil {
		return true
	}
	if b.since.IsZero() {
		b.since = time.Now()
	}
	return b.spent+time.Since(b.since)+wait <= b.limit
}

// answered notes that a request which was sent at that time was answered.
func (b *Budget) answered(sent time.Time) {
	if b == nil || b.since.IsZero() {
		return
	}
	b.spent += sent.Sub(b.since)
	b.since = time.Time{}
}
