/*
 * The smallest program with OpenSSL that does what a nowait service does for one connection: key
 * and certificate from files, one handshake on fd 0, one line, close. The yardstick for start-up
 * cost.
 *
 *	minimal KEY.pem CERT.pem < connected socket
 */
#include <openssl/ssl.h>
#include <signal.h>

int main(int argc, char **argv)
{
	static const char line[] = "Saturday 2026-11-21 01:33:42 +00:00\r\n";
	SSL_CTX *ctx;
	SSL *ssl;
	char end[64];
	int r;

	if (argc != 3)
		return 100;
	signal(SIGPIPE, SIG_IGN);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, argv[2]) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, argv[1], SSL_FILETYPE_PEM) != 1)
		return 100;
	SSL_CTX_set_num_tickets(ctx, 0);
	ssl = SSL_new(ctx);
	if (ssl == NULL || SSL_set_fd(ssl, 0) != 1 || SSL_accept(ssl) != 1)
		return 0;
	(void)SSL_write(ssl, line, sizeof line - 1);
	do
		r = SSL_read(ssl, end, sizeof end);
	while (r > 0);
	(void)SSL_shutdown(ssl);
	return 0;
}
