package main

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
	"github.com/datakit/datakit/internal/serve"
)

// commandScripts runs scripts twice, with $DATAKIT_ADDR naming the repository
// repo: by a server, and without one.
func commandScripts(t *testing.T, pattern string) {
	t.Helper()
	t.Parallel()
	t.Run("server", func(t *testing.T) {
		runScripts(t, pattern, func(env *testscript.Env) error {
			env.Setenv("DATAKIT_ADDR", "unix://"+filepath.Join(env.WorkDir, "s"))
			return startServer(env, filepath.Join(env.WorkDir, "repo"), filepath.Join(env.WorkDir, "s"))
		})
	})
	t.Run("repository", func(t *testing.T) {
		runScripts(t, pattern, func(env *testscript.Env) error {
			repo := filepath.Join(env.WorkDir, "repo")
			env.Setenv("DATAKIT_ADDR", "git://"+repo)
			db, err := gitdb.Open(repo, nil)
			if err != nil {
				return err
			}
			return db.Close()
		})
	})
}

// startServer serves a repository at a socket until the script ends.
func startServer(env *testscript.Env, repo, socket string) error {
	addr, err := endpoint.Parse("unix://"+socket, endpoint.DefaultPort)
	if err != nil {
		return err
	}
	log, err := logs.New(logs.Options{Destination: "quiet", Clock: "posix", Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return err
	}
	s := &serve.Server{Repository: repo, Addresses: []endpoint.Address{addr}, Metrics: metrics.New(), Logs: log, Out: io.Discard}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	env.Defer(func() {
		cancel()
		if err := <-ended; err != nil {
			env.T().Log(err)
			env.T().Fatal("the server has failed")
		}
	})
	dial, stop := context.WithTimeout(ctx, patience)
	defer stop()
	c, err := connect(dial, "unix://"+socket) // waits until it listens
	if err != nil {
		return err
	}
	return c.Close()
}

func TestCL58_BranchCommand(t *testing.T)           { commandScripts(t, "branch") }
func TestCL58_ListCommand(t *testing.T)             { commandScripts(t, "ls") }
func TestCL58_CatCommand(t *testing.T)              { commandScripts(t, "cat") }
func TestCL58_LogCommand(t *testing.T)              { commandScripts(t, "log") }
func TestCL58_ShowAndDiffCommands(t *testing.T)     { commandScripts(t, "diff") }
func TestCL58_PutCommand(t *testing.T)              { commandScripts(t, "put") }
func TestCL58_RemoveCommand(t *testing.T)           { commandScripts(t, "rm") }
func TestCL58_MergeCommand(t *testing.T)            { commandScripts(t, "merge") }
func TestCL58_WatchCommand(t *testing.T)            { commandScripts(t, "watch") }
func TestCL52_CL58_FetchCommand(t *testing.T)       { commandScripts(t, "fetch") }
func TestCL58_CL93_RecordCommands(t *testing.T)     { commandScripts(t, "record") }
func TestCL58_Completion(t *testing.T)              { commandScripts(t, "complete") }
func TestCL14_ErrorsOfCommands(t *testing.T)        { scripts(t, "cli_errors") }
func TestCL10_CL49_CommandsLoseServer(t *testing.T) { scripts(t, "cli_lost") }
