package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// deliveryTime is how long GitHub waits for the answer to a delivery.
const deliveryTime = 10 * time.Second

// A Delivery is a webhook that was sent, or lost.
type Delivery struct {
	ID     string // the same when it is sent again
	Hook   int64
	Event  string // such as "push"
	Status int    // of the answer; 0 if there was none
	Err    error  // why there was none

	url, secret string
	body        []byte
}

// A sender delivers webhooks one after the other, in the order of the changes.
type sender struct {
	client *http.Client
	cancel context.CancelFunc
	stop   func() // ends the listening
	wg     sync.WaitGroup

	mu    sync.Mutex // guards what follows; taken after the World's, if both are
	queue []Delivery
	sent  []Delivery
	lose  func(Change) bool
	next  int
	wake  chan struct{} // has a value when there may be something in the queue
}

func newSender(w *World) *sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{
		client: &http.Client{Transport: &http.Transport{}, Timeout: deliveryTime},
		cancel: cancel, wake: make(chan struct{}, 1),
	}
	s.stop = w.Listen(func(c Change) { s.add(w.peek(c.Repo), c) })
	s.wg.Go(func() { s.run(ctx) })
	return s
}

// close ends a delivery that is under way, and waits.
func (s *sender) close() {
	s.stop()
	s.cancel()
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// add queues what tells a repository's webhooks of a change. The World's lock is
// held.
func (s *sender) add(repo *repository, c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lose != nil && s.lose(c) {
		return
	}
	for _, m := range c.messages() {
		for _, h := range repo.hooks {
			if !wants(h, c, m.event) {
				continue
			}
			body, err := json.Marshal(m.body)
			if err != nil {
				panic(err) // a body is made of maps, lists and texts
			}
			s.next++
			s.put(Delivery{ID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", s.next), Hook: h.ID, Event: m.event, url: h.URL, secret: h.Secret, body: body})
		}
	}
}

// put queues a delivery. The lock is held.
func (s *sender) put(d Delivery) {
	s.queue = append(s.queue, d)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run sends what is queued until ctx ends.
func (s *sender) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for {
			s.mu.Lock()
			if len(s.queue) == 0 || ctx.Err() != nil {
				s.mu.Unlock()
				break
			}
			d := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			d.Status, d.Err = s.post(ctx, d)
			s.mu.Lock()
			s.sent = append(s.sent, d)
			s.mu.Unlock()
		}
	}
}

// post sends a delivery, signed as GitHub does (GH-180).
func (s *sender) post(ctx context.Context, d Delivery) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(d.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "GitHub-Hookshot/0000000")
	req.Header.Set("X-GitHub-Event", d.Event)
	req.Header.Set("X-GitHub-Delivery", d.ID)
	req.Header.Set("X-GitHub-Hook-ID", fmt.Sprint(d.Hook))
	if d.secret != "" {
		mac := hmac.New(sha256.New, []byte(d.secret))
		mac.Write(d.body)
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, err
}

// Deliveries returns the webhooks that were sent, in order.
func (s *Server) Deliveries() []Delivery {
	s.send.mu.Lock()
	defer s.send.mu.Unlock()
	return slices.Clone(s.send.sent)
}

// Redeliver sends a delivery once more, with its ID.
func (s *Server) Redeliver(d Delivery) {
	s.send.mu.Lock()
	defer s.send.mu.Unlock()
	s.send.put(d)
}

// Lose makes the webhooks of the changes for which f is true get lost; nil
// ends that. f must not call the World or the Server.
func (s *Server) Lose(f func(Change) bool) {
	s.send.mu.Lock()
	defer s.send.mu.Unlock()
	s.send.lose = f
}
