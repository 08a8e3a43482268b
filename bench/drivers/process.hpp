// What /proc says of a server process: its CPU time and its memory.
#pragma once

#include <dirent.h>

#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

// CPU time in µs of all threads of these processes.
inline double cpu_us(const std::vector<int>& pids) {
    double total = 0;
    for (const int pid : pids) {
        const std::string folder = "/proc/" + std::to_string(pid) + "/task/";
        DIR* const tasks = opendir(folder.c_str());
        if (tasks == nullptr) throw std::runtime_error("there is no process " + std::to_string(pid));
        while (const dirent* const task = readdir(tasks)) {
            double ns = 0;
            if (task->d_name[0] != '.' && std::ifstream(folder + task->d_name + "/schedstat") >> ns) total += ns / 1000;
        }
        closedir(tasks);
    }
    return total;
}

// Memory in KB that this process alone has allocated.
inline double rss_anon_kb(int pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; status >> word;) {
        double kb = 0;
        if (word == "RssAnon:" && status >> kb) return kb;
    }
    throw std::runtime_error("no RssAnon of process " + std::to_string(pid));
}

}  // namespace bench
