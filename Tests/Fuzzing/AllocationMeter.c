// Counts the bytes that are allocated at once, by the hooks of AddressSanitizer's allocator.

#include <sanitizer/allocator_interface.h>
#include <stdbool.h>

static bool isRunning, isInstalled;
static long live, peak;

static void allocated(const volatile void *address, size_t size) {
  (void)address;
  if (!isRunning) return;
  live += (long)size;
  if (live > peak) peak = live;
}

static void freed(const volatile void *address) {
  if (isRunning && address) live -= (long)__sanitizer_get_allocated_size(address);
}

void allocationMeterStart(void) {
  if (!isInstalled) __sanitizer_install_malloc_and_free_hooks(allocated, freed);
  isInstalled = true;
  live = peak = 0;
  isRunning = true;
}

long allocationMeterStop(void) {
  isRunning = false;
  return peak;
}
