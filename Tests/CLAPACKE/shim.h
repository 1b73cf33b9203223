#if defined(__has_include) && !__has_include(<lapacke.h>)
#error "lapacke.h was not found. The tests compare with LAPACK: run scripts/test, or apt-get install liblapacke-dev."
#endif
#include <lapacke.h>
#include <cblas.h>

/* lapack_int is a macro in some versions, which Swift does not see. */
typedef lapack_int LAPACKInteger;
