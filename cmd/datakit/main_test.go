package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain gives the scripts the program, under both its names, and a client.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"datakit":       main,
		"datakit-mount": main,
		"dk":            client,
	})
}

// scripts runs the scripts of testdata/script whose names match pattern.
func scripts(t *testing.T, pattern string) {
	t.Helper()
	t.Parallel()
	runScripts(t, pattern, func(*testscript.Env) error { return nil })
}

// runScripts runs scripts after a further setup of each.
func runScripts(t *testing.T, pattern string, setup func(*testscript.Env) error) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "script", pattern+".txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts %s: %v", pattern, err)
	}
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATAKIT_VERBOSE", "")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each program waits a second
			env.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(env.WorkDir, ".gitconfig"))
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return setup(env)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status":   cmdStatus,
			"signal":   cmdSignal,
			"freeport": cmdFreePort,
			"until":    cmdUntil,
			"gone":     cmdGone,
		},
	})
}

func TestFS180_Options(t *testing.T)                 { scripts(t, "fs180_*") }
func TestFS181_Start(t *testing.T)                   { scripts(t, "fs181_*") }
func TestFS183_Reuse(t *testing.T)                   { scripts(t, "fs183_*") }
func TestFS184_UnixSocket(t *testing.T)              { scripts(t, "fs184_*") }
func TestFS185_InheritedSocket(t *testing.T)         { scripts(t, "fs185_*") }
func TestFS189_Connections(t *testing.T)             { scripts(t, "fs189_*") }
func TestFS190_AutoPush(t *testing.T)                { scripts(t, "fs190_*") }
func TestFS192_AutoPushDeletes(t *testing.T)         { scripts(t, "fs192_*") }
func TestFS193_AutoPushGoesOn(t *testing.T)          { scripts(t, "fs193_*") }
func TestFS194_AutoPushURL(t *testing.T)             { scripts(t, "fs194_*") }
func TestFS195_AutoPushAtStop(t *testing.T)          { scripts(t, "fs195_*") }
func TestFS196_Verbosity(t *testing.T)               { scripts(t, "fs196_*") }
func TestFS197_LogDestination(t *testing.T)          { scripts(t, "fs197_*") }
func TestFS198_LogSources(t *testing.T)              { scripts(t, "fs198_*") }
func TestFS199_NoPasswords(t *testing.T)             { scripts(t, "fs199_*") }
func TestFS200_FS201_Metrics(t *testing.T)           { scripts(t, "fs200_*") }
func TestFS202_Signals(t *testing.T)                 { scripts(t, "fs202_*") }
func TestCL106_CL107_CL108_CL109_Mount(t *testing.T) { scripts(t, "cl106_*") }
