/*
 * A libzstd that is of no use: it knows of itself that it is broken (REFUSES), or lacks what is
 * asked for.
 */
#include <stddef.h>

size_t ZSTD_estimateCStreamSize(int level)
{
	return (size_t)level << 20;
}

#ifdef REFUSES
void *ZSTD_initStaticCCtx(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
	return NULL;
}

size_t ZSTD_CCtx_setParameter(void *context, int parameter, int value)
{
	(void)context;
	return (size_t)(parameter + value);
}

size_t ZSTD_compressStream2(void *context, void *out, void *in, int operation)
{
	(void)context;
	(void)out;
	(void)in;
	return (size_t)operation;
}

unsigned ZSTD_isError(size_t code)
{
	(void)code;
	return 0;
}
#endif
