/* What people write to each other in mail_world.h: of each kind that a reader has to know. */
#include "tests/fuzz/lib/mail_world.h"

#include "store/blob.h"

#define HEAD(id)                                                                 \
	"From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nMessage-ID: <" id \
	"@example.org>\r\nDate: Thu, 1 Jan 2026 10:0" id ":00 +0100\r\n"

static const char *const letters[] = {
	HEAD("1") "Subject: Tomorrow\r\n\r\nAre you coming?\r\n",
	HEAD("2") "Subject: Re: Tomorrow\r\nIn-Reply-To: <1@example.org>\r\n"
		  "Disposition-Notification-To: bob@example.org\r\n\r\nWell?\r\n",
	HEAD("3") "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe aus K=F6ln =\r\n!\r\n",
	HEAD("4") "Subject: a picture\r\nMIME-Version: 1.0\r\n"
		  "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\nlook\r\n--b\r\n"
		  "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello &amp; <b>bye</b></p>\r\n"
		  "--b\r\nContent-Type: image/png; name=\"a.png\"\r\n"
		  "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac.png\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAANSUhEUg==\r\n--b--\r\n",
	HEAD("5") "Subject: Fwd: Tomorrow\r\nReferences: <1@example.org> <2@example.org>\r\n"
		  "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n"
		  "Content-Type: message/rfc822\r\n\r\nFrom: c@example.net\r\nSubject: inner\r\n"
		  "Content-Type: multipart/digest; boundary=y\r\n\r\n--y\r\n\r\nSubject: d\r\n\r\nend\r\n"
		  "--y--\r\n--x\r\n\r\nlast\r\n--x--\r\n",
	HEAD("6") "Subject: seen\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
		  "report-type=disposition-notification; boundary=r\r\n\r\n--r\r\n\r\nIt was shown.\r\n"
		  "--r\r\nContent-Type: message/disposition-notification\r\n\r\n"
		  "Final-Recipient: rfc822;bob@example.org\r\nOriginal-Message-ID: <9@example.org>\r\n"
		  "Disposition: manual-action/MDN-sent-manually; displayed\r\n--r--\r\n",
	"",
	"\r\nno header\r\n",
	"Subject: no end",
	HEAD("7") "Subject: \xe2\x82\xac raw\r\nCc: group: a@b.example, \"c d\"@e.example;,\r\n"
		  "Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: x-uu\r\n"
		  "\r\n8 bits: \xff\xfe\r\n",
	HEAD("8") "Subject: broken\r\nContent-Type: multipart/mixed; boundary=\"\r\n"
		  "Content-Type: multipart/mixed\r\nFrom: <<>>\r\nTo\r\nReply-To: ,,\r\n\r\n--\r\n--\r\n",
};

static void large(struct buf *ret)
{
	buf_add_str(ret,
		HEAD("9") "Subject: large\r\nMIME-Version: 1.0\r\n"
			  "Content-Type: multipart/mixed; boundary=l\r\n\r\n--l\r\n"
			  "Content-Type: application/octet-stream\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n");
	while (ret->len <= BLOB_INLINE_MAX)
		buf_add_str(
			ret, "VGhpcyBpcyBhIGxhcmdlIG1lc3NhZ2Ugd2l0aCBsaXR0bGUgdG8gc2F5LgAA\r\n");
	buf_add_str(ret, "--l\r\nContent-Type: text/plain\r\n\r\nthe end\r\n--l--\r\n");
}

void mail_letter(unsigned index, struct buf *ret)
{
	index %= MAIL_LETTERS;
	if (index == MAIL_LETTER_LARGE)
		large(ret);
	else
		buf_add_str(ret, letters[index]);
}
