package metrics

import (
	"testing"
	"time"
)

func TestGH205_GH272_Metrics(t *testing.T) {
	t.Parallel()
	m := NewGitHub([]string{"accepted", "signature"})
	m.Queue(func() int { return 7 })
	_, text := scrape(t, m.Page, "/metrics")
	wantLines(t, text, "datakit_github_rate_limit_remaining NaN", `datakit_github_webhook_deliveries_total{result="accepted"} 0`)

	m.Called("list PRs", "ok")
	m.Called("list PRs", "ok")
	m.Called("set status", "refused")
	m.Remaining(4999)
	m.Synced("branch", "ok", 1500*time.Millisecond)
	m.Synced("retry", "error", time.Second)
	m.EventToCommit(30 * time.Millisecond)
	m.CommitToGitHub(20 * time.Millisecond)
	m.Monitored(3)
	m.Pending("read", 2)
	m.Delivered("signature")
	_, text = scrape(t, m.Page, "/metrics")
	wantLines(t, text,
		"# TYPE datakit_github_api_calls_total counter",
		`datakit_github_api_calls_total{op="list PRs",result="ok"} 2`,
		`datakit_github_api_calls_total{op="set status",result="refused"} 1`,
		"# TYPE datakit_github_rate_limit_remaining gauge",
		"datakit_github_rate_limit_remaining 4999",
		"# TYPE datakit_github_sync_duration_seconds histogram",
		"datakit_github_sync_duration_seconds_sum 2.5",
		"datakit_github_sync_duration_seconds_count 2",
		"# TYPE datakit_github_syncs_total counter",
		`datakit_github_syncs_total{reason="branch",result="ok"} 1`,
		`datakit_github_syncs_total{reason="retry",result="error"} 1`,
		"# TYPE datakit_github_event_to_commit_seconds histogram",
		`datakit_github_event_to_commit_seconds_bucket{le="0.025"} 0`,
		`datakit_github_event_to_commit_seconds_bucket{le="0.05"} 1`,
		"# TYPE datakit_github_commit_to_github_seconds histogram",
		`datakit_github_commit_to_github_seconds_bucket{le="0.025"} 1`,
		"# TYPE datakit_github_queue_length gauge",
		"datakit_github_queue_length 7",
		"# TYPE datakit_github_pending gauge",
		`datakit_github_pending{kind="read"} 2`,
		"# TYPE datakit_github_webhook_deliveries_total counter",
		`datakit_github_webhook_deliveries_total{result="signature"} 1`,
		"# TYPE datakit_github_monitored_repositories gauge",
		"datakit_github_monitored_repositories 3",
		"# TYPE go_goroutines gauge",
	)
}
