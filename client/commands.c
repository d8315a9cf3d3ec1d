/* The subcommands. Apart from main(), so that tests can link every other part. */
#include "client/client.h"

const struct client_command client_commands[] = {
	{"enroll", cmd_enroll,
		"enroll HOST[:PORT] --user NAME [--fingerprint HEX | --root FILE]\n"
		"               [--invite TOKEN] [--sign-up] [--password-file FILE] [--as PROFILE]",
		"get a certificate for this device"},
	{"renew", cmd_renew, "renew [--if-due] [--new-key]", "renew the certificate"},
	{"whoami", cmd_whoami, "whoami",
		"show account, certificate and what the server says of them"},
	{"password", cmd_password, "password [--password-file FILE]", "set a new password"},
	{"profile", cmd_profile, "profile [list | use NAME | remove NAME]",
		"list, choose or remove server profiles"},
	{"daytime", cmd_daytime,
		"daytime [-i | --offset | --rfc3339 | --epoch | --zone NAME |\n"
		"               --stamp FILE | --verify FILE] [--token FILE]",
		"ask for the time, stamp a file, or verify a stamp"},
	{"ftp", cmd_ftp,
		"ftp [OPTION ...] [ls | get | put | cat | rm | mkdir | rmdir | mv | sync |\n"
		"               stat | df | pwd] [ARGUMENT ...]",
		"move files, one command or in a session"},
	{"chat", cmd_chat,
		"chat [OPTION ...] [#CHANNEL ... | send TARGET [TEXT ...] | tail TARGET ... |\n"
		"               history TARGET | call NICK]",
		"talk in channels and with people"},
	{"mail", cmd_mail,
		"mail [-m MAILBOX] [list | read | send | reply | search | ...] [ARGUMENT ...]",
		"read and write mail, one command or in a view"},
	{"ca", cmd_ca, "ca [show | list | revoke SERIAL [REASON] | crl | check [FILE]]",
		"see and use the certificate authority"},
	{"status", cmd_status, "status", "reach and verify every service"},
	{NULL, NULL, NULL, NULL},
};
