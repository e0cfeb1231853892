package logs

// The Apple system log is what receives the messages of syslog(3).
var systemLogs = map[string]func() (systemLog, error){
	"syslog": dialSyslog("datakit"),
	"asl":    dialSyslog("Docker"),
}
