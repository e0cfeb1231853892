package main

import "testing"

// TestCL58_Commands runs the commands at a server and in a repository.
func TestCL58_Commands(t *testing.T) { scripts(t, "cli_*") }
