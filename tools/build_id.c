/*
 * Build ids: the note NT_GNU_BUILD_ID, found by the program headers.
 */
#include "build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Looks through notes; their sizes are rounded up to 4. */
static bool find(const uint8_t *notes, size_t size, char hex[GT_BUILD_ID_HEX])
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, bytes;

		memcpy(&h, notes, sizeof(h));
		name = GT_ROUND_UP((size_t)h.n_namesz, (size_t)4);
		bytes = GT_ROUND_UP((size_t)h.n_descsz, (size_t)4);
		notes += sizeof(h);
		size -= sizeof(h);
		if (name > size || bytes > size - name) {
			return false;
		}
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 &&
		    memcmp(notes, "GNU", 4) == 0 && h.n_descsz > 0 &&
		    h.n_descsz <= (GT_BUILD_ID_HEX - 1) / 2) {
			for (size_t i = 0; i < h.n_descsz; i++) {
				const uint8_t byte = notes[name + i];

				hex[2 * i] = "0123456789abcdef"[byte >> 4];
				hex[2 * i + 1] = "0123456789abcdef"[byte & 15];
			}
			hex[2 * h.n_descsz] = '\0';
			return true;
		}
		notes += name + bytes;
		size -= name + bytes;
	}
	return false;
}

static bool read_at(int fd, void *to, size_t n, uint64_t at)
{
	return at < INT64_MAX && pread(fd, to, n, (off_t)at) == (ssize_t)n;
}

static bool read_notes(int fd, char hex[GT_BUILD_ID_HEX])
{
	uint8_t notes[4096];
	Elf64_Ehdr header;

	if (!read_at(fd, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr)) {
		return false;
	}
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr p;

		if (!read_at(fd, &p, sizeof(p), header.e_phoff + i * sizeof(p))) {
			return false;
		}
		if (p.p_type == PT_NOTE && p.p_filesz <= sizeof(notes) &&
		    read_at(fd, notes, p.p_filesz, p.p_offset) && find(notes, p.p_filesz, hex)) {
			return true;
		}
	}
	return false;
}

bool gt_build_id(const char *path, unsigned major, unsigned minor, uint64_t inode,
		 char hex[GT_BUILD_ID_HEX])
{
	struct stat st;
	bool found = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		return false;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == inode &&
	    st.st_dev == makedev(major, minor)) {
		found = read_notes(fd, hex);
	}
	close(fd);
	return found;
}
