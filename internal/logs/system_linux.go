package logs

var systemLogs = map[string]func() (systemLog, error){
	"syslog":   dialSyslog("datakit"),
	"journald": func() (systemLog, error) { return dialJournal(journalSocket) },
}
