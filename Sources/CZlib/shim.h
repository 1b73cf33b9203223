#if defined(__has_include) && !__has_include(<zlib.h>)
#error "zlib.h was not found. Install zlib's headers: apt-get install zlib1g-dev (they are on Swift's own list of prerequisites)."
#endif
#include <zlib.h>
