package bridge

import "sync"

// A pool runs tasks, which may add more, a limited number at once.
type pool struct {
	mu     sync.Mutex
	news   *sync.Cond // of what is below; its lock is mu
	queue  []func()
	active int
}

func newPool() *pool {
	p := &pool{}
	p.news = sync.NewCond(&p.mu)
	return p
}

// add queues a task. It may be called before run and by tasks.
func (p *pool) add(task func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, task)
	p.news.Signal()
}

// run runs all tasks, and those that they add, with n at once at most. It
// returns when all have ended.
func (p *pool) run(n int) {
	var workers sync.WaitGroup
	for range n {
		workers.Go(p.work)
	}
	workers.Wait()
}

// work runs tasks until there are none and none that runs could add any.
func (p *pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.queue) == 0 && p.active > 0 {
			p.news.Wait()
		}
		if len(p.queue) == 0 {
			p.news.Broadcast()
			return
		}
		task := p.queue[0]
		p.queue = p.queue[1:]
		p.active++
		p.mu.Unlock()
		task()
		p.mu.Lock()
		p.active--
	}
}
